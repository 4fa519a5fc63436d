import { RepTree, type VertexOperation as RepTreeOperation } from "reptree";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Random } from "../testing/random.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

const NOW = Date.UTC(2026, 5, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

function makeMany(tree: ReplicatedTree, count: number, afterEachOne: (index: number) => void = () => undefined): string[] {
  return Array.from({ length: count }, (_, index) => {
    const { id } = tree.newVertex("root");
    afterEachOne(index);
    return id;
  });
}

/** The root's children as a device sees them that gets the operations in another order. */
function seenElsewhere(tree: ReplicatedTree): string[] {
  return new ReplicatedTree("elsewhere", new Random(1).shuffle(tree.getAllOps())).getChildrenIds("root");
}

test("20,000 siblings made in one millisecond keep their order on every device, with times at most a second ahead", () => {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  const made = makeMany(tree, 20_000);
  expect(root.childrenIds).toEqual(made);
  expect(seenElsewhere(tree)).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
  for (const child of root.children) {
    expect(child.getProperty("_c")).toBe(child.createdAt.toISOString());
    expect(child.createdAt.getTime()).toBeLessThanOrEqual(NOW + 1_000);
  }
});

test("vertices that exceed the room of a millisecond continue in the next", () => {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  // the digits that rise from one id to the next use up their room as fast as they can
  const uuid = vi
    .spyOn(globalThis.crypto, "randomUUID")
    .mockImplementation(() => `ffff${"0".repeat(4)}-0000-4000-8000-${nextTail()}`);
  const made = makeMany(tree, 100_000);
  uuid.mockRestore();
  expect(root.childrenIds).toEqual(made);
  expect(Math.max(...root.children.map(({ createdAt }) => createdAt.getTime()))).toBeLessThan(NOW + 1_100);
});

test("siblings keep the order of creation while the clock runs, stops and is set back", () => {
  const random = new Random(7);
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  const made = makeMany(tree, 3_000, () => {
    const dice = random.next();
    if (dice < 0.05) vi.setSystemTime(Date.now() + random.integer(1, 5_000));
    else if (dice < 0.06) vi.setSystemTime(Date.now() - random.integer(1, 3_600_000));
  });
  expect(root.childrenIds).toEqual(made);
  expect(seenElsewhere(tree)).toEqual(made);
});

test("a clock that was years ahead and was set right is used again", () => {
  const tree = new ReplicatedTree("peer");
  tree.createRoot("root");
  vi.setSystemTime(NOW + 365 * 24 * 60 * 60 * 1_000);
  tree.newVertex("root");
  vi.setSystemTime(NOW);
  expect(tree.newVertex("root").createdAt).toEqual(new Date(NOW));
});

test("vertices that two devices make at the same time stay in order for each device", () => {
  const one = new ReplicatedTree("one");
  one.createRoot("root");
  const other = one.replicate("other");
  const [ofOne, ofOther] = [makeMany(one, 2_500), makeMany(other, 2_500)];
  one.merge(other.getAllOps());
  other.merge(one.getAllOps());
  const shown = one.getChildrenIds("root");
  expect(other.getChildrenIds("root")).toEqual(shown);
  for (const made of [ofOne, ofOther]) {
    const own = new Set(made);
    expect(shown.filter((id) => own.has(id))).toEqual(made);
  }
});

test("the existing library shows a loop's siblings in the same order", () => {
  const tree = new ReplicatedTree("peer");
  tree.createRoot("root");
  const made = makeMany(tree, 1_300);
  const theirs = new RepTree("0b", tree.getAllOps() as RepTreeOperation[]);
  expect(theirs.getChildrenIds("root")).toEqual(made);
  // every tree of `reptree` starts a timer, which would keep the process alive
  (theirs as unknown as { state: { dispose(): void } }).state.dispose();
});

let tail = 0;
function nextTail(): string {
  return (++tail).toString(16).padStart(12, "0");
}
