import { afterAll, expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { encodeLine } from "../../src/log/line.ts";
import { COPY_NAMES } from "../../src/testing/copy-names.ts";
import { damageBytes } from "../../src/testing/damage.ts";
import { asSet, TestPeer } from "../../src/testing/layer-bench.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Random } from "../../src/testing/random.ts";
import { newId, type VertexOperation } from "../../src/tree/index.ts";

const SPACE = "5".repeat(32);
const PEER = "9fae0b1c2d3e4f5061728394a5b6c7d8";
const DAY = `space/space-v1/ops/55/${"5".repeat(30)}/2026/01/15`;
const LOG = `${DAY}/${PEER}.jsonl`;
const LF = 10;

const peer = new TestPeer(PEER);
const [before, flush, next, later] = [peer.setMany(2), everyKind(), everyKind(), peer.setMany(2)];
const [beforeBytes, flushBytes, nextBytes] = [encode(before), encode(flush), encode(next)];
const issued = new Set(asSet([...before, ...flush, ...next, ...later]));
const random = new Random(1);

let states = 0;
let copies = 0;

afterAll(() => {
  process.stdout.write(`every byte of a flush: ${flushBytes.length} bytes, ${states} states of a file; ${copies} of copies\n`);
});

/** Operations whose lines are hard to tell apart when they are torn: numbers, and values that look like lines. */
function everyKind(): VertexOperation[] {
  return [
    peer.move("vertex", SPACE),
    peer.set('some "text" with \\, \u2028, \u00e9 and \ud83d\udc4d'),
    peer.set(["m", 1, "a", null]),
    peer.set('"]\n["m",1,"a",null]'),
    peer.set(1234567),
    peer.set(undefined),
    peer.set({}),
    peer.set({ a: [1, { b: "]" }] }),
    peer.set([["p", 3, "vertex", "text", 1]]),
  ];
}

function encode(ops: readonly VertexOperation[]): Uint8Array {
  return new TextEncoder().encode(ops.map((op) => `${encodeLine(op)}\n`).join(""));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Operations whose lines are whole in the first bytes of a flush, the last one's newline aside. */
function wholeIn(ops: readonly VertexOperation[], bytes: Uint8Array, at: number): VertexOperation[] {
  let end = 0;
  return ops.filter(() => {
    end = bytes.indexOf(LF, end) + 1;
    return end - 1 <= at;
  });
}

function folder(files: Readonly<Record<string, Uint8Array>>): MemoryFileSystem {
  return new MemoryFileSystem({ "space/space-v1/space.json": `{"id":"${SPACE}"}`, ...files });
}

async function connect(fs: MemoryFileSystem, peerId = newId()): Promise<FileSystemPersistenceLayer> {
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock: new ManualClock() });
  await layer.connect({ peerId });
  return layer;
}

/** Checks what a file is read as, and that its peer's next session goes on behind it. */
async function check(bytes: Uint8Array, expected: readonly VertexOperation[], what: string): Promise<void> {
  states++;
  const fs = folder({ [LOG]: bytes });
  const layer = await connect(fs, PEER);
  const found = asSet(await layer.loadSpaceTreeOps());
  const missing = asSet(expected).filter((op) => !found.includes(op));
  const invented = found.filter((op) => !issued.has(op));
  if (missing.length + invented.length > 0) expect({ what, missing, invented }).toEqual({ what, missing: [], invented: [] });
  await Promise.all([layer.saveTreeOps(SPACE, later), layer.flush()]);
  await layer.disconnect();
  const reader = await connect(fs);
  const after = asSet(await reader.loadSpaceTreeOps());
  await reader.disconnect();
  const wanted = [...new Set([...found, ...asSet(later)])].sort();
  if (after.join("\n") !== wanted.join("\n")) expect({ what, after }).toEqual({ what, after: wanted });
}

/** Every place at which a flush can be torn. */
function* places(): Generator<{ at: number; start: Uint8Array; whole: VertexOperation[] }> {
  for (let at = 0; at <= flushBytes.length; at++) {
    yield { at, start: join(beforeBytes, flushBytes.subarray(0, at)), whole: [...before, ...wholeIn(flush, flushBytes, at)] };
  }
}

test("a flush that is cut at any byte leaves every whole line readable, and the next session goes on", async () => {
  for (const { at, start, whole } of places()) await check(start, whole, `cut at ${at}`);
});

test.each(["zero tail", "garbage tail"] as const)(
  "a flush with a %s from any byte on leaves every whole line readable",
  async (damage) => {
    for (const { at, whole } of places()) {
      const bytes = damageBytes(flushBytes, damage, at, random);
      await check(
        join(beforeBytes, bytes),
        damage === "garbage tail" && at === flushBytes.length
          ? [...before, ...flush]
          : whole.filter((op) => damage === "zero tail" || isEnded(op, at)),
        `${damage} at ${at}`,
      );
    }
  },
);

/** Whether the newline of an operation of the flush is before a place, so that garbage from there on leaves it alone. */
function isEnded(op: VertexOperation, at: number): boolean {
  return before.includes(op) || wholeIn(flush, flushBytes, at - 1).includes(op);
}

test("a flush that is cut at any byte, with its rewrite concatenated behind it, is read whole", async () => {
  for (const { at, start, whole } of places()) await check(join(start, flushBytes), [...whole, ...flush], `rewritten at ${at}`);
});

test("a flush that is cut at any byte, with the next one concatenated behind it, leaves every whole line readable", async () => {
  for (const { at, start, whole } of places()) {
    // what stands behind a torn list may be an item of it, so it is not believed
    const [first, ...others] = next;
    await check(join(start, nextBytes), [...whole, ...others, ...(isTornInList(at) ? [] : [first!])], `concatenated at ${at}`);
  }
});

/** Whether a flush cut there ends where an item of a list may follow: in a value that is a list or an object, or just before one. */
function isTornInList(at: number): boolean {
  const text = new TextDecoder().decode(flushBytes.subarray(0, at));
  return /^\["p",\d+,"vertex","text",([[{].*)?$/.test(text.slice(text.lastIndexOf("\n") + 1));
}

test("a flush that arrives up to any byte, and then whole, gives a listener every operation", async () => {
  for (const { at, start } of places()) {
    states++;
    const fs = folder({ [LOG]: beforeBytes });
    const layer = await connect(fs);
    const found = await layer.loadSpaceTreeOps();
    await layer.startListening(({ ops }) => found.push(...(ops ?? [])));
    for (const content of [start, join(beforeBytes, flushBytes)]) {
      await fs.write(LOG, content);
      await layer.rescan();
    }
    await layer.disconnect();
    if (asSet(found).join("\n") !== asSet([...before, ...flush]).join("\n"))
      expect({ at, found: asSet(found) }).toEqual({ at, found: asSet([...before, ...flush]) });
    expect(layer.problems).toEqual([]);
  }
});

const ORIGINAL = [...before, ...flush];
const COPIES: readonly (readonly [string, Uint8Array, readonly VertexOperation[]])[] = [
  ["whole", encode(ORIGINAL), ORIGINAL],
  ["a part", encode(ORIGINAL).slice(0, -7), ORIGINAL.slice(0, -1)],
  ["newer", encode([...ORIGINAL, ...next]), [...ORIGINAL, ...next]],
  ["older", encode(before), before],
];

test.each(COPIES)(
  "a copy that is %s is read under its peer, whatever its name, beside the original and in its place",
  async (_name, bytes, held) => {
    for (const [service, pattern] of COPY_NAMES) {
      const copy = `${DAY}/${pattern.replace("B", PEER)}`;
      for (const hasOriginal of [true, false]) {
        copies++;
        const fs = folder(hasOriginal ? { [LOG]: encode(ORIGINAL) } : {});
        const listener = await connect(fs);
        const heard = await listener.loadSpaceTreeOps();
        await listener.startListening(({ ops }) => heard.push(...(ops ?? [])));
        await fs.write(copy, bytes);
        await listener.rescan();
        const reader = await connect(fs);
        const read = await reader.loadSpaceTreeOps();
        const expected = asSet(hasOriginal ? [...ORIGINAL, ...held] : held);
        for (const found of [heard, read])
          if (asSet(found).join("\n") !== expected.join("\n"))
            expect({ service, found: asSet(found) }).toEqual({ service, found: expected });
        expect(reader.problems, service).toContainEqual(expect.objectContaining({ code: "FOLD_CONFLICT_COPY" }));
        await Promise.all([reader.disconnect(), listener.disconnect()]);
      }
    }
  },
);
