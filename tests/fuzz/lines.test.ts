import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLine, LogParser, type LineProblem } from "../../src/log/index.ts";
import { isValidCounter, isValidId, type VertexOperation } from "../../src/tree/index.ts";
import { fuzzing, Watchdog } from "./fuzzing.ts";
import { fixtures, mutated } from "./mutations.ts";

const PEER = "a".repeat(32);
const LF = 10;
const LOGS = fixtures((name) => name.endsWith(".jsonl"));
const watchdog = new Watchdog();

interface Parsed {
  readonly ops: readonly VertexOperation[];
  readonly problems: readonly LineProblem[];
}

function parse(bytes: Uint8Array, ...cuts: readonly number[]): Parsed {
  const parser = new LogParser({ peerId: PEER });
  let start = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    parser.push(bytes.subarray(start, cut));
    start = cut;
  }
  parser.push(bytes.subarray(start));
  parser.end();
  return parser;
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

test("whatever the bytes are, each line is read as if it stood alone", () => {
  let operations = 0;
  let problems = 0;
  fc.assert(
    fc.property(mutated(LOGS, 4_000), fc.array(fc.nat({ max: 8_000 }), { maxLength: 4 }), (bytes, cuts) => {
      const whole = watchdog.watch(bytes, () => parse(bytes));
      const alone = linesOf(bytes).map((line) => parse(line));
      expect(whole.ops).toEqual(alone.flatMap(({ ops }) => ops));
      const expected = alone.flatMap((line, index) => line.problems.map((problem) => ({ ...problem, line: index + 1 })));
      expect(whole.problems).toEqual(expected);
      const inPieces = parse(bytes, ...cuts.map((cut) => Math.min(cut, bytes.length)));
      expect({ ops: inPieces.ops, problems: inPieces.problems }).toEqual({ ops: whole.ops, problems: whole.problems });
      operations += whole.ops.length;
      problems += whole.problems.length;
    }),
    fuzzing({ runs: 20_000, seconds: 10 }),
  );
  expect(operations).toBeGreaterThan(1_000);
  expect(problems).toBeGreaterThan(100);
});

test("every operation read stands in the bytes, is valid, and can be written and read again", () => {
  fc.assert(
    fc.property(mutated(LOGS, 1_500), (bytes) => {
      for (const line of linesOf(bytes)) {
        const { ops } = watchdog.watch(line, () => parse(line));
        if (ops.length === 0) continue;
        const standing = arraysIn(new TextDecoder().decode(line));
        for (const op of ops) {
          expect(isValidCounter(op.id.counter) && isValidId(op.targetId)).toBe(true);
          expect(standing).toContain(JSON.stringify(fieldsOf(op)));
          expect(withoutNegativeZeros(parse(new TextEncoder().encode(encodeLine(op))).ops)).toEqual(withoutNegativeZeros([op]));
        }
      }
    }),
    fuzzing({ runs: 20_000, seconds: 10 }),
  );
});

test("lines that were not touched are all read", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LOGS),
      fc.array(fc.tuple(fc.nat({ max: 30 }), mutated(LOGS, 200)), { minLength: 1, maxLength: 4 }),
      (log, inserts) => {
        const lines = linesOf(log).slice(0, 30);
        const ops = lines.flatMap((line) => parse(line).ops.map(encodeLine));
        const mixed = [...lines];
        // a line of its own: what is concatenated to a good line may well make it another
        for (const [at, bytes] of inserts) mixed.splice(at, 0, ...linesOf(Uint8Array.of(...bytes, LF)));
        const read = new Set(parse(Uint8Array.from(mixed.flatMap((line) => [...line]))).ops.map(encodeLine));
        for (const op of ops) expect(read).toContain(op);
      },
    ),
    fuzzing({ runs: 20_000, seconds: 10 }),
  );
});

/** What a line says that stands for the operation. */
function fieldsOf(op: VertexOperation): unknown[] {
  if ("parentId" in op) return ["m", op.id.counter, op.targetId, op.parentId];
  const isEmpty = typeof op.value === "object" && op.value !== null && JSON.stringify(op.value) === "{}";
  return ["p", op.id.counter, op.targetId, op.key, op.value ?? (op.value === undefined ? {} : null), ...(isEmpty ? [1] : [])];
}

/** Every array that stands anywhere in a text, in a form of its own. Slow, and apart from how the parser finds them. */
function arraysIn(text: string): Set<string> {
  const found = new Set<string>();
  const ends = Array.from(text.matchAll(/\]/g), ({ index }) => index + 1);
  for (const { index: start } of text.matchAll(/\[\s*"[mp]"/g)) {
    for (const end of ends) {
      if (end <= start) continue;
      try {
        found.add(JSON.stringify(JSON.parse(text.slice(start, end))));
      } catch {
        // no array ends here
      }
    }
  }
  return found;
}

/** JSON reads `-0`, and never writes it. */
function withoutNegativeZeros(ops: readonly VertexOperation[]): unknown {
  return JSON.parse(JSON.stringify(ops, (_key, value: unknown) => (value === undefined ? "(removed)" : value)));
}
