import * as fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SPACES = fileURLToPath(new URL("../fixtures/spaces", import.meta.url));

/** Content of the fixtures' files whose name fits. */
export function fixtures(isWanted: (name: string) => boolean): Uint8Array[] {
  return readdirSync(SPACES, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile() && isWanted(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

/** Pieces that mean something to what reads the bytes. */
const TOKENS: readonly string[] = [
  "\n",
  "\r\n",
  "\r",
  "\0",
  "\0\0\0\0",
  "\uFEFF",
  '"',
  "\\",
  '\\"',
  "[",
  "]",
  "{}",
  ",",
  ", ",
  '["m",',
  '["p",',
  '["x",1]',
  '["m",1,"0",null]',
  "null",
  "undefined",
  "-0",
  "1e999",
  "0.5",
  "281474976710656",
  "281474976710657",
  "9007199254740993",
  '"__proto__"',
  String.raw`\ud800`,
  "\u2028",
  "<<<<<<< HEAD\n",
  "=======\n",
  ">>>>>>> theirs\n",
  "version https://git-lfs.github.com/spec/v1",
  "[".repeat(300),
  "]".repeat(300),
  '{"a":'.repeat(300),
  "a".repeat(300),
  "../",
];

type Mutation = (bytes: Buffer) => Buffer;

/** What disks, programs and people do to bytes. Places are given as shares of the length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const inserted = fc.oneof(
  fc.constantFrom(...TOKENS).map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([at, bit]): Mutation => (bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[indexIn(copy, at)]! ^= 1 << bit;
    return copy;
  }),
  fc.tuple(place, inserted).map(([at, piece]): Mutation => (bytes) => {
    const index = indexIn(bytes, at);
    return Buffer.concat([bytes.subarray(0, index), piece, bytes.subarray(index)]);
  }),
  fc.tuple(place, inserted).map(([at, piece]): Mutation => (bytes) => {
    const copy = Buffer.from(bytes);
    piece.copy(copy, indexIn(copy, at));
    return copy;
  }),
  fc.tuple(place, place).map(([from, to]): Mutation => (bytes) => {
    const [start, end] = rangeIn(bytes, from, to);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  }),
  fc.tuple(place, place, place).map(([from, to, at]): Mutation => (bytes) => {
    const [start, end] = rangeIn(bytes, from, to);
    const index = indexIn(bytes, at);
    return Buffer.concat([bytes.subarray(0, index), bytes.subarray(start, end), bytes.subarray(index)]);
  }),
  fc.tuple(place, place).map(([from, to]): Mutation => (bytes) => {
    const [start, end] = rangeIn(bytes, from, to);
    return Buffer.from(bytes).fill(0, start, end);
  }),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, indexIn(bytes, at)),
  ),
);

/** One of the seeds, cut to a size, after some mutations. */
export function mutated(seeds: readonly Uint8Array[], maxBytes: number): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.constantFrom(...seeds), place, fc.array(mutation, { maxLength: 6 })).map(([seed, at, mutations]) => {
    const start = seed.length > maxBytes ? Math.floor(at * (seed.length - maxBytes)) : 0;
    let bytes: Buffer = Buffer.from(seed.subarray(start, start + maxBytes));
    for (const mutate of mutations) bytes = mutate(bytes).subarray(0, 2 * maxBytes);
    return new Uint8Array(bytes);
  });
}

function indexIn(bytes: Uint8Array, at: number): number {
  return Math.max(0, Math.min(bytes.length - 1, Math.floor(at * bytes.length)));
}

function rangeIn(bytes: Uint8Array, from: number, to: number): [start: number, end: number] {
  return [Math.floor(Math.min(from, to) * bytes.length), Math.floor(Math.max(from, to) * bytes.length)];
}
