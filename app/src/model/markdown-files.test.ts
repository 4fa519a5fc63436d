import { expect, test } from "vitest";
import { fileName, markdownFiles } from "./markdown-files.ts";
import { newPage } from "./test-pages.ts";
import { zip } from "./zip.ts";

/** Reads an archive without compression by its directory, as programs do. */
async function unzip(archive: Blob): Promise<[name: string, text: string][]> {
  const bytes = Buffer.from(await archive.arrayBuffer());
  const end = bytes.length - 22;
  expect(bytes.readUInt32LE(end)).toBe(0x06_05_4b_50);
  const files: [string, string][] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    expect(bytes.readUInt32LE(at)).toBe(0x02_01_4b_50);
    expect(bytes.readUInt16LE(at + 10)).toBe(0);
    const [size, length] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const local = bytes.readUInt32LE(at + 42);
    expect(bytes.readUInt32LE(local)).toBe(0x04_03_4b_50);
    const from = local + 30 + bytes.readUInt16LE(local + 26);
    files.push([bytes.toString("utf8", at + 46, at + 46 + length), bytes.toString("utf8", from, from + size)]);
    at += 46 + length;
  }
  expect(at).toBe(end);
  return files;
}

test("pages become files with names of their own, in an archive that other programs read", async () => {
  const { tree } = newPage(["plants", "  apple", "Äpfel"]);
  tree.root!.setProperty("appId", "outline");
  const pages = ["Garden", "garden", "Gärden", "a/b: c?", "", "nul", "..."].map((title) => ({ title, tree }));
  const files = markdownFiles(pages);
  const names = ["Garden.md", "garden (2).md", "Gärden (3).md", "a-b- c-.md", "Untitled.md", "_nul.md", "Untitled (2).md"];
  expect(files.map(({ name }) => name)).toEqual(names);
  expect(files[0]!.text).toBe("# Garden\n\n- plants\n  - apple\n- Äpfel\n");
  expect(await unzip(zip(files))).toEqual(files.map(({ name, text }) => [name, text]));
  expect(fileName("x".repeat(300))).toHaveLength(100);
});

test("an archive has the checksum of each file", async () => {
  const bytes = Buffer.from(await zip([{ name: "a", text: "123456789" }]).arrayBuffer());
  // the check value of CRC-32
  expect(bytes.readUInt32LE(14)).toBe(0xcb_f4_39_26);
});
