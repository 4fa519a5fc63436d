import { ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { textOf } from "./item.ts";
import { alsoOn, Device, newPage, sync } from "./test-pages.ts";
import { conflictsOn } from "./test-conflicts.ts";
import { TextVersions } from "./text-versions.ts";

/** Another start of the app under the device's peer id, which begins above counters that the first one had reserved. */
function startedAgain({ tree }: Device): Device {
  return new Device(new ReplicatedTree(tree.peerId, tree.getAllOps(), { counterFloor: tree.clock + 4_096 }));
}

test("words of both devices are merged after one was started again under its peer id, which skips counters", () => {
  const a = newPage(["some words"]);
  const b = alsoOn(a, "b");
  const id = a.id("some words");
  a.type(id, "some words before", "some words before the start");
  sync(a, b);
  const later = startedAgain(a);
  later.type(id, "some words before the start and after", "some words before the start and after it");
  b.type(id, "b some words before the start", "by b some words before the start");
  sync(later, b);
  for (const device of [later, b]) {
    expect(conflictsOn(device)).toEqual([]);
    expect(TextVersions.of(device.tree).current(id).text).toBe("by b some words before the start and after it");
  }
});

test("a start writes the parents of its first text in an item, and none of those that follow it", () => {
  const a = newPage(["x"]);
  const id = a.id("x");
  const later = startedAgain(a);
  const before = later.tree.opCount;
  later.type(id, "x1");
  expect(later.tree.opCount - before).toBe(2);
  later.type(id, "x12", "x123");
  expect(later.tree.opCount - before).toBe(4);
  expect(textOf(later.tree, id)).toBe("x123");
});
