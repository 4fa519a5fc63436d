import { expect, test } from "vitest";
import { Random } from "../../src/testing/random.ts";
import {
  compareOpIds,
  ReplicatedTree,
  type JsonValue,
  type MoveVertex,
  type SetVertexProperty,
  type VertexOperation,
} from "../../src/tree/index.ts";
import { shownTree } from "./histories.ts";
import { replaySlowly, sortOps } from "./slow-tree.ts";

// The tables of a tree grow by a half each time. These histories are long enough, and read often enough, to cross each step.

const LONGEST_RUN_MS = 240_000;
const KEYS = ["name", "_n", "_c", "text", "__proto__", ...Array.from({ length: 40 }, (_, index) => `key ${index}`)];
const LONG_TEXT = "A text that is long enough to be kept as a difference, ünd has other characters \u{1f600} too. ".repeat(4);

/** Deep trees have chains that are hundreds of vertices long. Makes operations without regard for what makes sense: cycles, unknown parents, texts of all kinds. */
class Maker {
  readonly ops: VertexOperation[] = [];
  readonly #random: Random;
  readonly #peers: readonly string[];
  readonly #ids = ["root"];
  readonly #isDeep: boolean;
  #text = LONG_TEXT;
  #counter = 0;

  constructor(random: Random, isDeep: boolean) {
    this.#random = random;
    this.#isDeep = isDeep;
    this.#peers = Array.from({ length: random.integer(1, 40) }, () => random.hex(8));
    this.#add({ targetId: "root", parentId: null });
  }

  make(count: number): VertexOperation[] {
    while (this.ops.length < count) {
      const dice = this.#random.next();
      if (dice < 0.35) this.#create();
      else if (dice < 0.5) this.#add({ targetId: this.#anyId(), parentId: this.#random.chance(0.02) ? null : this.#anyId() });
      else this.#add({ targetId: this.#anyId(), key: this.#random.pick(KEYS), value: this.#value(), transient: false });
    }
    return this.ops;
  }

  #create(): void {
    const parentId = this.#isDeep && this.#random.chance(0.995) ? this.#ids.at(-1)! : this.#anyId();
    const id = this.#random.hex(12);
    this.#ids.push(id);
    this.#add({ targetId: id, parentId });
  }

  #anyId(): string {
    return this.#random.chance(0.02) ? "unknown" : this.#random.pick(this.#ids);
  }

  #value(): JsonValue | undefined {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.1) return undefined;
    if (dice < 0.2) return random.pick([0, -1.5, true, null, "", { list: [1, { of: "things" }] }]);
    if (dice < 0.3) return random.hex(random.integer(1, 200));
    // a text that is edited here and there
    const at = random.integer(0, this.#text.length);
    this.#text =
      this.#text.slice(0, at) + random.pick(["", "x", "é", "\ud83d", "word "]) + this.#text.slice(at + random.integer(0, 3));
    return this.#text;
  }

  #add(content: Omit<MoveVertex, "id"> | Omit<SetVertexProperty, "id">): void {
    // few ids follow one another, and some counters are used by several peers
    if (this.ops.length === 0 || this.#random.chance(0.9)) this.#counter += this.#random.chance(0.01) ? 2 ** 33 : 1;
    const peerId = this.#random.pick(this.#peers);
    const id = { counter: this.#counter, peerId };
    if (this.ops.slice(-40).some((op) => compareOpIds(op.id, id) === 0)) this.#counter++;
    this.ops.push({ id: { counter: this.#counter, peerId }, ...content });
  }
}

function expectState(tree: ReplicatedTree, known: readonly VertexOperation[], label: string): void {
  expect(shownTree(tree), label).toEqual(replaySlowly(known).tree);
  expect(tree.opCount, label).toBe(known.length);
}

function expectAllOps(tree: ReplicatedTree, known: readonly VertexOperation[], label: string): void {
  expect(sortOps(tree.getAllOps()), label).toEqual(sortOps(known));
}

for (const isDeep of [false, true]) {
  const shape = isDeep ? "deep" : "flat";
  test(`a ${shape} tree is right after each operation, in whatever order they come`, { timeout: LONGEST_RUN_MS }, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed);
      const made = new Maker(random, isDeep).make(260);
      const ops = random.chance(0.5) ? random.shuffle([...made]) : made;
      const tree = new ReplicatedTree("reader");
      for (const [index, op] of ops.entries()) {
        tree.merge([op]);
        const label = `seed ${seed}, operation ${index}`;
        expectState(tree, ops.slice(0, index + 1), label);
        if (index % 16 === 0) expectAllOps(tree, ops.slice(0, index + 1), label);
      }
    }
  });

  test(`a large ${shape} tree is right after each batch`, { timeout: LONGEST_RUN_MS }, () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new Random(seed);
      const made = new Maker(random, isDeep).make(random.integer(2_000, 3_500));
      // mostly in order, with late parts
      const late = made.filter(() => random.chance(0.1));
      const lateOps = new Set(late);
      const ops = [...made.filter((op) => !lateOps.has(op)), ...random.shuffle(late)];
      const tree = new ReplicatedTree("reader");
      for (let start = 0; start < ops.length;) {
        const end = Math.min(ops.length, start + random.integer(1, random.pick([10, 300, 1_500])));
        tree.merge(ops.slice(start, end));
        if (random.chance(0.3)) expectState(tree, ops.slice(0, end), `seed ${seed}, batch to ${end}`);
        start = end;
      }
      expectState(tree, ops, `seed ${seed}`);
      expectAllOps(tree, ops, `seed ${seed}`);
      const known = tree.versionVector;
      expect(tree.opsSince(known), `seed ${seed}`).toEqual([]);
      expect(tree.findDifferingContents(random.shuffle([...made])), `seed ${seed}`).toEqual([]);
    }
  });
}
