import { ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { announceDevice, groupByDevice, KnownDevices, renameDevice } from "./devices.ts";

const laptop = { id: "laptop", name: "Firefox on Linux" };
const phone = { id: "phone", name: "Safari on iPhone" };

function newTree(): ReplicatedTree {
  const tree = new ReplicatedTree("peer");
  tree.createRoot();
  return tree;
}

test("a device is one however often it visits, and was heard from at its last visit", () => {
  const tree = newTree();
  for (let visit = 0; visit < 8; visit++) announceDevice(tree, `visit${visit}`, laptop);
  announceDevice(tree, "call", phone);
  const heard = new Map<string, number>(Array.from({ length: 8 }, (_, visit) => [`visit${visit}`, visit * 10]));
  heard.set("call", 35).set("unknown", 5).set("command", 0);
  expect(groupByDevice(new KnownDevices(tree), heard)).toEqual([
    { device: laptop, count: 8, lastHeard: 70 },
    { device: phone, count: 1, lastHeard: 35 },
    { device: undefined, count: 2, lastHeard: 5 },
  ]);
});

test("a name that was given stays at the next visit", () => {
  const tree = newTree();
  announceDevice(tree, "first", laptop);
  renameDevice(tree, laptop.id, "Old laptop");
  announceDevice(tree, "second", laptop);
  const known = new KnownDevices(tree);
  expect(["first", "second", "third"].map((peer) => known.deviceOf(peer)?.name)).toEqual(["Old laptop", "Old laptop", undefined]);
});

test("saying it again makes no operation", () => {
  const tree = newTree();
  announceDevice(tree, "peer", laptop);
  const count = tree.opCount;
  announceDevice(tree, "peer", laptop);
  expect(tree.opCount).toBe(count);
});

test("two devices that announce themselves at once are both known", () => {
  const [one, two] = [newTree(), new ReplicatedTree("other")];
  two.merge(one.getAllOps());
  announceDevice(one, "peer", laptop);
  announceDevice(two, "other", phone);
  one.merge(two.getAllOps());
  const known = new KnownDevices(one);
  expect([known.deviceOf("peer"), known.deviceOf("other")]).toEqual([laptop, phone]);
});

test("malformed names are ignored", () => {
  const tree = newTree();
  tree.root!.setProperty("peer:a", 1);
  tree.root!.setProperty("peer:b", "x");
  tree.root!.setProperty("device:x", " ");
  const known = new KnownDevices(tree);
  expect([known.deviceOf("a"), known.deviceOf("b")?.name]).toEqual([undefined, "A device"]);
});
