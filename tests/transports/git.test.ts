import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Git } from "./git.ts";
import { describeWith } from "./programs.ts";
import { Rig } from "./rig.ts";
import type { Site } from "./transport.ts";
import { testTransport } from "./transport-suite.ts";

describeWith("git", "Git", () => {
  const traits = { keepsBothSecrets: true, secretsCopies: /\/secrets_REMOTE_\d+$/ };
  testTransport("Git", traits, (site) => new Git(site, []));

  describe("that changes line ends", () => {
    const connect = (site: Site): Git => new Git(site, ["core.autocrlf=true"]);
    testTransport("Git, core.autocrlf", traits, connect);

    test("leaves those of the space as they are", async () => {
      const rig = await Rig.open(connect);
      rig.two.space.tree.root!.newNamedChild("a vertex");
      rig.two.space.secrets.set("name", "value");
      // the secrets are written after the operations, and a commit may contain the temporary file of that
      await expect.poll(() => rig.one.space.secrets.get("name"), { timeout: 20_000 }).toBe("value");
      await rig.conclude();
      const [one, two] = rig.transport.folders.map(contentOf);
      expect(two).toEqual(one);
      expect(Object.values(two!).join("")).not.toContain("\r");
    });
  });
});

/** Of the space, by path. */
function contentOf(folder: string): Record<string, string> {
  const space = join(folder, "space-v1");
  const files = readdirSync(space, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name).slice(space.length),
      readFileSync(join(parentPath, name), "utf8"),
    ]),
  );
}
