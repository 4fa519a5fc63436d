import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { foldspace } from "../scenarios/cli-harness.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("the command line beside the app (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  async function run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await foldspace([...args]);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
    return stdout;
  }

  test("shows, adds, changes and exports the items of a page", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["one", "  **two**", "three"]);
    await app.edit("one");
    await app.press("Control+Enter");
    await app.untilSaved();
    const tree = await run("tree", folder.path, "Page");
    expect(tree.split("\n").map((line) => line.replace(/ {2}[0-9a-f]{8,32}.*$/, ""))).toEqual(
      expect.arrayContaining(["  [x] one", "    **two**", "  three"]),
    );

    const id = (await run("add", folder.path, "--tree", "Page", "--name", "from the command line")).trim();
    await app.shows(["x one", "  **two**", "three", "from the command line"]);
    await run("set", folder.path, id, "text=changed there", "done=true");
    await app.shows(["x one", "  **two**", "three", "x changed there"]);
    await app.edit("changed there");
    await app.type(" and here");
    await app.untilSaved();
    await run("set", folder.path, id, "--name", "changed there and here, and there again");
    await app.shows(["x one", "  **two**", "three", "x changed there and here, and there again"]);
    expect(await app.button("Two versions").count()).toBe(0);

    const { text } = await app.download("Import and export", "This page as Markdown");
    expect(text).toBe("# Page\n\n- [x] one\n  - **two**\n- three\n- [x] changed there and here, and there again\n");
    await expect.poll(() => run("export", folder.path, "--format", "markdown", "--tree", "Page"), SOON).toBe(text);
    await app.importFiles([{ name: "Again.md", text: text.replace("# Page", "# Again") }]);
    await app.shows(["x one", "  **two**", "three", "x changed there and here, and there again"]);
    await app.untilSaved();
    expect(await run("export", folder.path, "--format", "markdown", "--tree", "Again")).toBe(text.replace("# Page", "# Again"));
  });
});
