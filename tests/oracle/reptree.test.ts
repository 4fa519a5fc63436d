import { RepTree, type VertexOperation as RepTreeOperation } from "reptree";
import { afterEach, expect, test, vi } from "vitest";
import { ReplicatedTree, type JsonValue, type VertexOperation } from "../../src/tree/index.ts";
import { Random } from "../../src/testing/random.ts";
import { makeHistory } from "./histories.ts";
import { replaySlowly, sortOps } from "./slow-tree.ts";

const opened: RepTree[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  // every tree of `reptree` starts a timer, which would keep the process alive
  for (const tree of opened.splice(0)) (tree as unknown as { state: { dispose(): void } }).state.dispose();
});

test("300 random histories with hexadecimal peer ids end as in reptree, which gets them sorted", { timeout: 120_000 }, () => {
  let ignoredMoves = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const { ops, replicas } = makeHistory(seed, "hex");
    const sorted = sortOps(ops);
    const expected = shownBy(openRepTree("f".repeat(32), sorted));
    ignoredMoves += replaySlowly(ops).ignoredMoves;
    for (const replica of replicas) {
      replica.merge(ops);
      expect(shownBy(replica), `seed ${seed}`).toEqual(expected);
    }
  }
  expect(ignoredMoves).toBeGreaterThan(150);
});

test("live replicas of both libraries exchange their operations in both directions and end equal", { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const replicas = openLiveReplicas(random, seed % 2 === 0 ? "ours creates the root" : "theirs creates the root");
    for (let round = 0; round < 30; round++) {
      for (const replica of replicas) for (let edits = random.integer(0, 3); edits > 0; edits--) editSomething(replica, random);
      exchangeEverything(replicas);
    }
    const [expected, ...others] = replicas.map(shownBy);
    expect(expected!.length, `seed ${seed}`).toBeGreaterThan(3);
    for (const other of others) expect(other, `seed ${seed}`).toEqual(expected);
  }
});

test("drafts go to live replicas of reptree and come from them", () => {
  const ours = new ReplicatedTree("0a");
  ours.createRoot("root");
  const theirs = openRepTree("0b", ours.popLocalOps());
  ours.setTransientVertexProperty("root", "text", "draft of ours");
  theirs.merge(ours.popLocalOps() as RepTreeOperation[]);
  expect(theirs.getVertexProperty("root", "text")).toBe("draft of ours");
  theirs.setTransientVertexProperty("root", "text", "draft of theirs");
  ours.merge(theirs.popLocalOps());
  expect(ours.getVertexProperty("root", "text")).toBe("draft of theirs");
  theirs.commitTransients("root");
  ours.merge(theirs.popLocalOps());
  expect(ours.getVertexProperty("root", "text", false)).toBe("draft of theirs");
});

test("either library continues from the state vector of the other", () => {
  const theirs = openRepTree("0b");
  const root = theirs.createRoot();
  const ours = new ReplicatedTree("0a");
  ours.merge(theirs.getMissingOps(ours.getStateVector()));
  expect(ours.getStateVector()).toEqual(theirs.getStateVector());
  ours.newNamedVertex(root.id, "from ours");
  theirs.merge(ours.getMissingOps(theirs.getStateVector()!) as RepTreeOperation[]);
  expect(theirs.getVertexByPath("from ours")?.id).toBe(ours.getVertexByPath("from ours")?.id);
  expect(theirs.getStateVector()).toEqual(ours.getStateVector());
});

test("readers in different locales see the same winner, which with reptree they do not", () => {
  const ops: VertexOperation[] = [
    { id: { counter: 1, peerId: "z" }, targetId: "root", parentId: null },
    { id: { counter: 2, peerId: "aa" }, targetId: "root", key: "text", value: "of aa", transient: false },
    { id: { counter: 2, peerId: "z" }, targetId: "root", key: "text", value: "of z", transient: false },
  ];
  const seenWith = (locale: string): { ours: JsonValue | undefined; theirs: JsonValue | undefined } => {
    const { compare } = new Intl.Collator(locale);
    vi.spyOn(String.prototype, "localeCompare").mockImplementation(function (this: string, that: string) {
      return compare(this, that);
    });
    return {
      ours: new ReplicatedTree("reader", ops).getVertexProperty("root", "text"),
      theirs: openRepTree("reader", ops).getVertexProperty("root", "text"),
    };
  };
  expect(seenWith("en-US")).toEqual({ ours: "of z", theirs: "of z" });
  expect(seenWith("da-DK")).toEqual({ ours: "of z", theirs: "of aa" });
});

type AnyTree = ReplicatedTree | RepTree;

function openRepTree(peerId: string, ops?: readonly VertexOperation[]): RepTree {
  const tree = new RepTree(peerId, ops as readonly RepTreeOperation[] | undefined);
  opened.push(tree);
  return tree;
}

/** Two replicas of each library that know the same root. */
function openLiveReplicas(random: Random, start: "ours creates the root" | "theirs creates the root"): AnyTree[] {
  const first: AnyTree = start === "ours creates the root" ? new ReplicatedTree(random.hex(32)) : openRepTree(random.hex(32));
  first.createRoot();
  const ops = first.popLocalOps();
  const second: AnyTree = first instanceof RepTree ? new ReplicatedTree(random.hex(32), ops) : openRepTree(random.hex(32), ops);
  return [first, second, new ReplicatedTree(random.hex(32), ops), openRepTree(random.hex(32), ops)];
}

function editSomething(tree: AnyTree, random: Random): void {
  const ids = (tree.getAllVertices() as readonly { readonly id: string }[]).map((candidate) => candidate.id);
  const vertexId = random.pick(ids);
  const dice = random.next();
  if (dice < 0.35) tree.newVertex(vertexId, { text: random.integer(0, 99) });
  else if (dice < 0.7) moveIfPossible(tree, vertexId, random.pick(ids));
  else if (dice < 0.75) moveIfPossible(tree, vertexId, "0");
  else {
    const [key, value] = [random.pick(["text", "name"]), random.pick(["a", "b", 1, undefined])];
    if (tree instanceof RepTree) tree.setVertexProperty(vertexId, key, value);
    else tree.setVertexProperty(vertexId, key, value);
  }
}

/** `reptree` takes any move and passes over those that cannot be; ours refuses them. */
function moveIfPossible(tree: AnyTree, vertexId: string, parentId: string): void {
  const isPossible =
    vertexId !== tree.root?.id && vertexId !== "0" && vertexId !== parentId && !tree.isAncestor(parentId, vertexId);
  if (isPossible) tree.moveVertex(vertexId, parentId);
  else if (tree instanceof RepTree && vertexId !== "0") tree.moveVertex(vertexId, vertexId);
}

function exchangeEverything(replicas: readonly AnyTree[]): void {
  const outgoing = replicas.map((replica) => ({ replica, ops: replica.popLocalOps() }));
  for (const { replica: sender, ops } of outgoing) {
    for (const receiver of replicas) if (receiver !== sender) receiver.merge(ops as RepTreeOperation[]);
  }
}

/** Everything under the root and in the bin. `reptree` orders siblings by arrival, so that their order cannot be compared. */
function shownBy(tree: AnyTree): unknown[] {
  const shown: { readonly id: string }[] = [];
  const open = tree.root ? [tree.root.id, "0"] : [];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const children = tree.getChildrenIds(id);
    const properties: [string, JsonValue][] = [];
    const known = tree instanceof RepTree ? tree.getVertexProperties(id) : tree.getVertexProperties(id, false);
    for (const { key, value } of known) if (value !== undefined) properties.push([key, value]);
    properties.sort(([a], [b]) => (a < b ? -1 : 1));
    shown.push(Object.assign({ id }, { parentId: tree.getVertex(id)?.parentId, properties, children: children.toSorted() }));
    open.push(...children);
  }
  return shown.sort((a, b) => (a.id < b.id ? -1 : 1));
}
