// The history of an outline, the same for every system: 60 % texts and names, 30 % new vertices, 10 % moves. Recent vertices are
// changed most, and no move makes a cycle.
import { Random } from "../../dist/testing/random.js";

export const ROOT = "root";
const MAX_DEPTH = 9;
const WORDS =
  "the of and to in is that for it as was with be by on not this are or from at which but have an had they one all".split(" ");

export class History {
  #random;
  /** Ids of the vertices by number, and the number of each one's parent. */
  #ids = [ROOT];
  #parents = [-1];

  constructor(seed) {
    this.#random = new Random(seed);
  }

  /** A history that continues from here in its own way. */
  fork(seed) {
    const other = new History(seed);
    other.#ids = [...this.#ids];
    other.#parents = [...this.#parents];
    return other;
  }

  /** @returns edits: `{ type: "new", id, parentId }`, `{ type: "move", id, parentId }` or `{ type: "set", id, key, value }` */
  next(count) {
    return Array.from({ length: count }, () => this.#edit());
  }

  #edit() {
    const kind = this.#random.next();
    if (this.#ids.length < 3 || kind < 0.3) return this.#create();
    if (kind < 0.4) {
      const move = this.#move();
      if (move) return move;
    }
    const id = this.#ids[this.#recent(1)];
    const isName = this.#random.chance(0.5);
    return { type: "set", id, key: isName ? "name" : "text", value: this.#text(isName ? 20 : 80) };
  }

  #create() {
    const parent = this.#parent(MAX_DEPTH);
    const id = this.#random.hex(32);
    this.#ids.push(id);
    this.#parents.push(parent);
    return { type: "new", id, parentId: this.#ids[parent] };
  }

  #move() {
    const [vertex, parent] = [this.#recent(1), this.#parent(MAX_DEPTH - 3)];
    if (this.#parents[vertex] === parent || this.#isBelow(parent, vertex)) return undefined;
    this.#parents[vertex] = parent;
    return { type: "move", id: this.#ids[vertex], parentId: this.#ids[parent] };
  }

  #parent(maxDepth) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const found = this.#recent(0);
      if (this.#depth(found) <= maxDepth) return found;
    }
    return 0;
  }

  #depth(vertex) {
    let depth = 0;
    for (let each = vertex; each > 0; each = this.#parents[each]) depth++;
    return depth;
  }

  #isBelow(vertex, ancestor) {
    for (let each = vertex; each >= 0; each = this.#parents[each]) if (each === ancestor) return true;
    return false;
  }

  /** A vertex from the given number on; the probability rises towards the newest. */
  #recent(from) {
    const count = this.#ids.length - from;
    return from + Math.min(count - 1, Math.floor(count * (1 - this.#random.next() ** 3)));
  }

  #text(length) {
    let text = this.#random.pick(WORDS);
    while (text.length < length) text += ` ${this.#random.pick(WORDS)}`;
    return text;
  }
}

/**
 * Reads a whole tree.
 * @param view `{ rootId, childrenOf(id), propertiesOf(id) }`
 * @returns `{ vertices, digest }`; the digest depends neither on ids nor on the order of siblings
 */
export function readAll({ rootId, childrenOf, propertiesOf }) {
  let vertices = 0;
  const digestOf = (id) => {
    vertices++;
    const { name, text } = id === rootId ? {} : propertiesOf(id);
    let children = 0;
    for (const child of childrenOf(id)) children = (children + mix(digestOf(child))) | 0;
    return mix(hash(`${name ?? ""}\n${text ?? ""}`) ^ children);
  };
  const digest = digestOf(rootId) >>> 0;
  return { vertices, digest };
}

/** A view of systems that keep the parent of each vertex only. @param entries pairs of id and parent id */
export function viewOfParents(rootId, entries, propertiesOf) {
  const children = new Map();
  for (const [id, parentId] of entries) {
    const siblings = children.get(parentId);
    if (siblings) siblings.push(id);
    else children.set(parentId, [id]);
  }
  return { rootId, childrenOf: (id) => children.get(id) ?? [], propertiesOf };
}

function hash(text) {
  let result = 0x811c9dc5;
  // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/)
  for (let index = 0; index < text.length; index++) result = Math.imul(result ^ text.charCodeAt(index), 0x01000193);
  return result;
}

/** The finalizer of MurmurHash3 (https://github.com/aappleby/smhasher). */
function mix(value) {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
