import { strFromU8, unzipSync } from "fflate";
import { expect, test } from "vitest";
import { markdownFiles, zip } from "./markdown-files.ts";
import { newPage } from "./test-pages.ts";

test("pages become files with names of their own, in an archive", async () => {
  const { tree } = newPage(["plants", "  apple", "Äpfel"]);
  tree.root!.setProperty("appId", "outline");
  const titles = ["Garden", "garden", "a/b: c?", ""];
  const files = markdownFiles(titles.map((title, index) => ({ id: `${index}`.repeat(8), title, tree })));
  expect(files.map(({ name }) => name)).toEqual(["Garden.md", "garden (11111111).md", "a-b- c-.md", "Untitled.md"]);
  expect(files[0]!.text).toBe("# Garden\n\n- plants\n  - apple\n- Äpfel\n");
  const unzipped = unzipSync(new Uint8Array(await zip(files).arrayBuffer()));
  expect(Object.entries(unzipped).map(([name, bytes]) => ({ name, text: strFromU8(bytes) }))).toEqual(files);
});
