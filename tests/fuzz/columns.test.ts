import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLine, LogParser, type LineProblem, type LogPosition } from "../../src/log/index.ts";
import { LineScanner } from "../../src/log/line-scanner.ts";
import { MAX_ID_LENGTH } from "../../src/limits.ts";
import { MAX_COUNTER, type JsonValue, type VertexOperation } from "../../src/tree/index.ts";
import { newLogNumbers, OperationColumns } from "../../src/tree/operation-columns.ts";
import { fuzzing } from "./fuzzing.ts";
import { fixtures, mutated } from "./mutations.ts";

const PEER = "a".repeat(32);

interface Parsed {
  readonly ops: readonly VertexOperation[];
  readonly problems: readonly LineProblem[];
  readonly problemCount: number;
  readonly newerLines: number;
  readonly position: LogPosition;
}

function parse(bytes: Uint8Array, cuts: readonly number[], columns?: OperationColumns): Parsed {
  const parser = new LogParser({ peerId: PEER, ...(columns && { columns }) });
  let start = 0;
  for (const cut of cuts.map((each) => Math.min(each, bytes.length)).sort((a, b) => a - b)) {
    parser.push(bytes.subarray(start, cut));
    start = cut;
  }
  parser.push(bytes.subarray(start));
  const { position } = parser;
  parser.end();
  const { problems, problemCount, newerLines } = parser;
  return { ops: columns ? [...columns] : parser.ops, problems, problemCount, newerLines, position };
}

/** @returns number of operations */
function expectSame(bytes: Uint8Array, cuts: readonly number[]): number {
  const expected = parse(bytes, cuts);
  expect(parse(bytes, cuts, new OperationColumns(PEER, newLogNumbers()))).toEqual(expected);
  return expected.ops.length;
}

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("", "__proto__", "\u007f", "é", "\ud800", "x".repeat(256), "x".repeat(257), "x".repeat(65_537), "a/b", "'"),
);
const id = fc.oneof(fc.constantFrom("0", "a".repeat(32), "a".repeat(MAX_ID_LENGTH), "ö", "x"), text);
const counter = fc.oneof(fc.nat(20), fc.constantFrom(1, MAX_COUNTER, MAX_COUNTER + 1, -1, 0.5, 1e15, 1e16));
const value = fc.oneof(text, fc.jsonValue(), fc.constantFrom(null, true, false, 0, -0, 1e21, 999_999_999_999_999, {}, []));
const operation = fc.oneof(
  fc.record({ id: fc.record({ counter, peerId: fc.constant(PEER) }), targetId: id, parentId: fc.oneof(fc.constant(null), id) }),
  fc.record({
    id: fc.record({ counter, peerId: fc.constant(PEER) }),
    targetId: id,
    key: text,
    value: fc.oneof(fc.constant(undefined), value) as fc.Arbitrary<JsonValue | undefined>,
    transient: fc.constant(false),
  }),
);
const line = operation.map((op) => encodeLine(op));
/** Lines with another character somewhere. */
const changedLine = fc
  .tuple(line, fc.nat(), fc.constantFrom("", " ", '"', "\\", "]", "}", "0", "9", ".", "-", "e", ",", "\n", "\r", "\u00e9", "x"))
  .map(([whole, at, by]) => {
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + by + whole.slice(place + 1);
  });

test("columns have exactly the operations, problems and positions that the parser gives without them", () => {
  let operations = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(line, changedLine), { maxLength: 12 }),
      fc.constantFrom("", "\n"),
      fc.array(fc.nat({ max: 600 }), { maxLength: 2 }),
      (lines, end, cuts) => {
        operations += expectSame(new TextEncoder().encode(lines.join("\n") + end), cuts);
      },
    ),
    fuzzing({ runs: 5_000, seconds: 10 }),
  );
  expect(operations).toBeGreaterThan(500);
});

test("so do columns of damaged files", () => {
  const logs = fixtures((name) => name.endsWith(".jsonl"));
  fc.assert(
    fc.property(mutated(logs, 4_000), fc.array(fc.nat({ max: 8_000 }), { maxLength: 3 }), (bytes, cuts) => {
      expectSame(bytes, cuts);
    }),
    fuzzing({ runs: 5_000, seconds: 10 }),
  );
});

test("the scanner reads the usual lines itself", () => {
  const lines = [
    `["m",1,"0",null]`,
    `["m",2,"${PEER}","0"]`,
    `["p",281474976710656,"${PEER}","text","some text, with [\\u0022] no escapes"]`.replace("\\u0022", "'"),
    `["p",4,"${PEER}","text",""]`,
    `["p",5,"${PEER}","done",true]`,
    `["p",6,"${PEER}","order",12]`,
    `["p",7,"${PEER}","text",{}]`,
    `["p",8,"${PEER}","text",null]`,
  ];
  for (const each of lines) {
    const columns = new OperationColumns(PEER, newLogNumbers());
    const bytes = new TextEncoder().encode(`${each}\n`);
    expect(new LineScanner(columns).scan(bytes, 0), each).toBe(bytes.length);
    expect(encodeLine(columns.opAt(1))).toBe(each);
  }
});
