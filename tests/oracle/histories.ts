import { vi } from "vitest";
import { errorCode } from "../../src/errors.ts";
import { Random } from "../../src/testing/random.ts";
import { ReplicatedTree, type JsonValue, type Vertex, type VertexOperation } from "../../src/tree/index.ts";
import type { PlainTree } from "./slow-tree.ts";

export interface History {
  readonly seed: number;
  /** The replicas as they stood when the history was made: each knows only a part of it. */
  readonly replicas: readonly ReplicatedTree[];
  /** Every lasting operation of all replicas. */
  readonly ops: readonly VertexOperation[];
}

/** Peer ids whose order depends on the locale: Danish puts "aa" after "z", most put "B" after "a", code units do not. */
const TELLING_PEER_IDS = ["aa01", "z02", "aA03", "B04", "å05", "_06", "10", "9", "zz", "Aa07", "ä08", "-11"];
const KEYS = ["text", "name", "_n", "_c", "order", "__proto__", "constructor", "with space"];
const VALUES: readonly JsonValue[] = [
  "one",
  "two",
  "",
  "a0",
  "a0V",
  "Zz",
  0,
  -1.5,
  true,
  null,
  ["list", { of: "things" }],
  { toString: "own", nested: { deep: [1] } },
];
const START = Date.UTC(2026, 0, 1);

/**
 * Makes a history of 2 to 6 replicas that edit at the same time and exchange only parts of what they know,
 * in any order. The same seed gives the same history, ids and times included.
 */
export function makeHistory(seed: number, peerIdStyle: "telling" | "hex"): History {
  const random = new Random(seed);
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  const uuid = vi.spyOn(globalThis.crypto, "randomUUID").mockImplementation(() => {
    const [a, b, c, d, e] = [random.hex(8), random.hex(4), random.hex(4), random.hex(4), random.hex(12)] as const;
    return `${a}-${b}-${c}-${d}-${e}`;
  });
  try {
    return new HistoryMaker(seed, random, peerIdStyle).make();
  } finally {
    uuid.mockRestore();
    vi.useRealTimers();
  }
}

class HistoryMaker {
  readonly #seed: number;
  readonly #random: Random;
  readonly #replicas: ReplicatedTree[];
  readonly #ops: VertexOperation[] = [];

  constructor(seed: number, random: Random, peerIdStyle: "telling" | "hex") {
    this.#seed = seed;
    this.#random = random;
    const count = random.integer(2, 6);
    const peerIds =
      peerIdStyle === "hex"
        ? Array.from({ length: count }, () => random.hex(32))
        : random.shuffle(TELLING_PEER_IDS).slice(0, count);
    this.#replicas = peerIds.map((peerId) => new ReplicatedTree(peerId));
  }

  make(): History {
    const first = this.#replicas[0]!;
    first.createRoot(this.#random.hex(32));
    for (let child = 0; child < 3; child++) first.newVertex(first.root!.id);
    const steps = this.#random.integer(30, 150);
    for (let step = 0; step < steps; step++) {
      // few distinct times, so that siblings created in the same millisecond are common
      vi.setSystemTime(START + this.#random.integer(0, 20));
      const replica = this.#random.pick(this.#replicas);
      const dice = this.#random.next();
      if (!replica.root || dice < 0.15) this.#receive(replica);
      else if (dice < 0.3) this.#moveCrosswise(replica, this.#random.pick(this.#replicas.filter((other) => other !== replica)));
      else this.#edit(replica);
    }
    for (const replica of this.#replicas) this.#collect(replica);
    return { seed: this.#seed, replicas: this.#replicas, ops: this.#ops };
  }

  #edit(replica: ReplicatedTree): void {
    const random = this.#random;
    const vertex = this.#pickVertex(replica);
    const dice = random.next();
    if (dice < 0.3) replica.newVertex(vertex.id, random.chance(0.3) ? { [random.pick(KEYS)]: random.pick(VALUES) } : null);
    else if (dice < 0.6) this.#move(replica, vertex.id, this.#pickVertex(replica).id);
    else if (dice < 0.65) this.#delete(replica, vertex);
    else if (dice < 0.9) replica.setVertexProperty(vertex.id, this.#key(), random.pick(VALUES));
    else if (dice < 0.97) replica.setVertexProperty(vertex.id, this.#key(), undefined);
    else replica.setTransientVertexProperty(vertex.id, random.pick(KEYS), random.pick(VALUES));
  }

  /** Mostly one of two keys, so that writes of different replicas meet. */
  #key(): string {
    return this.#random.chance(0.6) ? this.#random.pick(["text", "name"]) : this.#random.pick(KEYS);
  }

  /** Mostly one in sight; now and then one in the bin, or under a parent that is not known yet. */
  #pickVertex(replica: ReplicatedTree): Vertex {
    const all = replica.getAllVertices();
    const rootId = replica.root!.id;
    const inSight = all.filter((vertex) => vertex.id === rootId || replica.isAncestor(vertex.id, rootId));
    return this.#random.pick(this.#random.chance(0.8) ? inSight : all);
  }

  /** Two replicas put the same two vertices under each other: together that would be a cycle. */
  #moveCrosswise(one: ReplicatedTree, other: ReplicatedTree): void {
    const [a, b] = [this.#pickVertex(one).id, this.#pickVertex(one).id];
    this.#move(one, a, b);
    if (other.getVertex(a) && other.getVertex(b)) this.#move(other, b, a);
  }

  #move(replica: ReplicatedTree, vertexId: string, parentId: string): void {
    try {
      replica.moveVertex(vertexId, parentId);
    } catch (error) {
      if (errorCode(error) !== "FOLD_CYCLE" && errorCode(error) !== "FOLD_BAD_OPERATION") throw error;
    }
  }

  #delete(replica: ReplicatedTree, vertex: Vertex): void {
    if (vertex.id !== replica.root?.id && vertex.id !== "0") replica.deleteVertex(vertex.id);
  }

  /** A part of what another replica knows arrives, in any order. */
  #receive(replica: ReplicatedTree): void {
    const missing = this.#random.pick(this.#replicas).getMissingOps(replica.getStateVector());
    const share = this.#random.pick([0.3, 0.8, 1]);
    replica.merge(this.#random.shuffle(missing).filter(() => this.#random.chance(share)));
  }

  #collect(replica: ReplicatedTree): void {
    for (const op of replica.popLocalOps()) if (!("transient" in op && op.transient)) this.#ops.push(op);
  }
}

/** Batches in which a replica gets all operations: out of order, some of them several times, children before their parents. */
export function deliverySchedule(ops: readonly VertexOperation[], random: Random): VertexOperation[][] {
  const repeated = ops.filter(() => random.chance(0.25));
  const order = random.pick(["shuffled", "reversed", "in order"]);
  const once = order === "shuffled" ? random.shuffle(ops) : order === "reversed" ? ops.toReversed() : [...ops];
  const all = [...once];
  for (const op of repeated) all.splice(random.integer(0, all.length), 0, structuredClone(op));
  const batches: VertexOperation[][] = [];
  const longest = random.pick([1, 5, 40, all.length]);
  for (let start = 0; start < all.length;) {
    const end = start + random.integer(1, longest);
    batches.push(all.slice(start, end));
    start = end;
  }
  return batches;
}

/** What a replica shows, in the form of the slow tree. */
export function shownTree(tree: ReplicatedTree): PlainTree {
  const plain: { id: string; parentId: string | null; properties: [string, JsonValue][]; children: string[] }[] = [];
  const open = tree.root ? [tree.root.id] : [];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const children = tree.getChildrenIds(id);
    const properties = tree.getVertexProperties(id, false).map(({ key, value }): [string, JsonValue] => [key, value]);
    properties.sort(([a], [b]) => (a < b ? -1 : 1));
    plain.push({ id, parentId: tree.getParentId(id), properties, children });
    for (const child of children) open.push(child);
  }
  return plain.sort((a, b) => (a.id < b.id ? -1 : 1));
}
