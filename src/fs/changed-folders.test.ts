import { expect, test } from "vitest";
import { ChangedFolders } from "./changed-folders.ts";

test("names of one folder are gathered, and forgotten when they are taken", () => {
  const changed = new ChangedFolders<string>();
  changed.add("a", ["x"]);
  changed.add("a", ["y", "x"]);
  changed.add("b");
  expect(changed.size).toBe(2);
  expect(changed.take()).toEqual([
    ["a", ["x", "y"]],
    ["b", undefined],
  ]);
  expect(changed.take()).toEqual([]);
});

test("a hint without names stands for all entries, whatever is named before or after it", () => {
  const changed = new ChangedFolders<string>();
  changed.add("a", ["x"]);
  changed.add("a");
  changed.add("a", ["y"]);
  expect(changed.take()).toEqual([["a", undefined]]);
});

test("many names stand for all entries", () => {
  const changed = new ChangedFolders<string>();
  for (let n = 0; n < 100; n++) changed.add("a", [String(n)]);
  expect(changed.take()).toEqual([["a", undefined]]);
});
