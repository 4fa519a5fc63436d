import { expect, test } from "vitest";
import { testFileSystem } from "../../testing/file-system-suite.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";

testFileSystem("MemoryFileSystem", async () => {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory("/some/root");
  return { fs, root: "/some/root" };
});

testFileSystem("MemoryFileSystem below a relative path", async () => {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory("root");
  return { fs, root: "root" };
});

test("it starts with the given files and can be dumped", async () => {
  const fs = new MemoryFileSystem({ "/b/two": "2", "a/one": new Uint8Array([49]) });
  await fs.append("a/one", new TextEncoder().encode("+1"));
  expect(fs.dump()).toEqual({ "a/one": "1+1", "b/two": "2" });
});

test("instances share nothing", async () => {
  const [one, other] = [new MemoryFileSystem(), new MemoryFileSystem()];
  await one.append("file", new TextEncoder().encode("x"));
  expect(other.dump()).toEqual({});
});

test("every change has a later time", async () => {
  const fs = new MemoryFileSystem();
  let lastMs = 0;
  for (let time = 0; time < 100; time += 1) {
    await fs.append("file", new Uint8Array([65]));
    const { modifiedMs } = (await fs.stat("file")) ?? { modifiedMs: 0 };
    expect(modifiedMs).toBeGreaterThan(lastMs);
    lastMs = modifiedMs;
  }
});

test("hints come after the change has returned, and several changes of a folder give one", async () => {
  const fs = new MemoryFileSystem({ "root/file": "" });
  const hints: unknown[] = [];
  await fs.watch("root", (hint) => hints.push(hint));
  const appends = [1, 2, 3].map((byte) => fs.append("root/file", new Uint8Array([byte])));
  expect(hints).toEqual([]);
  await Promise.all(appends);
  expect(hints).toEqual([{ kind: "dirty", directory: "root" }]);
});
