import { expect, test } from "vitest";
import { Random } from "../../src/testing/random.ts";
import { SectionReader, SectionWriter } from "../../src/tree/sections.ts";
import { newId, ReplicatedTree, type VertexOperation } from "../../src/tree/index.ts";
import { deliverySchedule, makeHistory, shownTree } from "./histories.ts";

class KeptTree extends ReplicatedTree {
  override writeTo(writer: SectionWriter): void {
    super.writeTo(writer);
  }

  override readFrom(reader: SectionReader): void {
    super.readFrom(reader);
  }
}

/** The tree as another instance takes it over. */
function again(tree: KeptTree): KeptTree {
  const writer = new SectionWriter();
  tree.writeTo(writer);
  const other = new KeptTree(newId());
  other.readFrom(SectionReader.open(writer.end())!);
  return other;
}

const asSet = (ops: readonly VertexOperation[]): string[] => ops.map((op) => JSON.stringify(op)).sort();

test("a tree that is taken over again and again between deliveries is the one that got them without a break", () => {
  for (let seed = 1; seed <= 120; seed++) {
    const random = new Random(seed);
    const { ops } = makeHistory(seed, seed % 2 === 0 ? "telling" : "hex");
    const whole = new ReplicatedTree(newId());
    let kept = new KeptTree(newId());
    for (const delivery of deliverySchedule(ops, random)) {
      whole.merge(delivery);
      kept.merge(delivery);
      // reads values, which are bytes until then
      if (random.chance(0.3)) shownTree(kept);
      if (random.chance(0.4)) kept = again(kept);
    }
    kept = again(kept);
    expect(shownTree(kept), `seed ${seed}`).toEqual(shownTree(whole));
    expect(asSet(kept.getAllOps()), `seed ${seed}`).toEqual(asSet(whole.getAllOps()));
    expect(kept.getStateVector()).toEqual(whole.getStateVector());
    expect([kept.clock, kept.nameKey]).toEqual([whole.clock, whole.nameKey]);
  }
});

test("a tree that was taken over can be edited, and keeps former values of long texts", () => {
  const tree = new KeptTree(newId());
  const item = tree.createRoot("root").newChild({ list: [1, { deep: true }], text: "", gone: 1 });
  let text = "Some words that are long enough for differences to be kept of them, and for nothing else.";
  for (let edit = 0; edit < 300; edit++) item.setProperty("text", (text += ` ${edit}`));
  item.setProperty("gone", undefined);
  item.setProperty("odd", "é \ud800 \u{1f600}");
  const taken = again(again(tree));
  const copy = taken.getVertex(item.id)!;
  expect(copy.getProperty("list")).toEqual([1, { deep: true }]);
  expect(Object.isFrozen(copy.getProperty("list"))).toBe(true);
  expect(copy.getProperty("odd")).toBe("é \ud800 \u{1f600}");
  copy.setProperty("text", `${text} and on`);
  copy.parent!.newChild({ name: "new" });
  tree.merge(taken.getAllOps());
  expect(asSet(taken.getAllOps())).toEqual(asSet(tree.getAllOps()));
  expect(shownTree(taken)).toEqual(shownTree(tree));
});

function smallSnapshot(): Uint8Array {
  const tree = new KeptTree("peer");
  tree.createRoot("root").newNamedChild("item", { text: "value", list: [1] });
  const writer = new SectionWriter();
  tree.writeTo(writer);
  return writer.end();
}

test("a snapshot with a byte changed, at any place, cannot be used", () => {
  const bytes = smallSnapshot();
  expect(SectionReader.open(bytes.slice())).toBeDefined();
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const damaged = bytes.slice();
      damaged[at]! ^= mask;
      expect(SectionReader.open(damaged), `byte ${at}`).toBeUndefined();
    }
  }
});

test("a snapshot of any other length cannot be used", () => {
  const bytes = smallSnapshot();
  for (let length = 0; length < bytes.length; length++) expect(SectionReader.open(bytes.slice(0, length))).toBeUndefined();
  for (const more of [1, 4, 64]) {
    const longer = new Uint8Array(bytes.length + more);
    longer.set(bytes);
    expect(SectionReader.open(longer)).toBeUndefined();
  }
});

test("a snapshot is read from any place in memory", () => {
  const bytes = smallSnapshot();
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const tree = new KeptTree("other");
  tree.readFrom(SectionReader.open(shifted.subarray(1))!);
  expect(tree.getVertex("root")?.children.map(({ name }) => name)).toEqual(["item"]);
});
