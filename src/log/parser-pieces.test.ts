import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { VertexOperation } from "../tree/index.ts";
import { checkFields, IdPool, LineError, MAX_LINE_BYTES, toOperation } from "./line.ts";
import type { LineProblem } from "./line-problem.ts";
import { LogParser, type LogPosition } from "./parser.ts";

const A = "a".repeat(32);
const B = "b".repeat(32);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Reading {
  readonly ops: VertexOperation[];
  readonly problems: LineProblem[];
  readonly position: LogPosition;
}

function read(pieces: readonly Uint8Array[], from?: LogPosition): Reading {
  const parser = new LogParser({ peerId: "peer", ...(from && { from }) });
  for (const piece of pieces) parser.push(piece);
  parser.end();
  return { ops: parser.ops, problems: parser.problems, position: parser.position };
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : sorted[index - 1]!, end));
}

const valid = [
  `["m",1,"${A}",null]`,
  `["m",23,"${A}","${B}"]`,
  `["p",4,"${A}","text","héllo 👍 \\u2028"]`,
  `["p",281474976710656,"${B}","text",-1.5e3]`,
  `["p",5,"${A}","done",true]`,
  `["p",6,"${A}","text",{}]`,
  `["p",6,"${A}","text",{},1]`,
  `["p",7,"${B}","list",[["m",1,"x",null],{"a":[]}]]`,
  `["p",8,"short","_n","na\\"me"]`,
  `["h",{"newer":1}]`,
];
const odd = [
  "",
  "\r",
  "\uFEFF",
  "\0\0",
  "garbage",
  "<<<<<<< HEAD",
  "[]",
  `["m",0,"${A}",null]`,
  `["p",9,"${A}","te`,
  `["p",9,"${A}","te["p",9,"${A}","text",1]`,
];
const line = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...valid) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const content = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("\n", "\r\n", "\0\n"), fc.constantFrom("", "\n"))
  .map(([lines, separator, end]) => encode(lines.join(separator) + end));

test("pieces of any size give what the whole gives", () => {
  fc.assert(
    fc.property(
      content,
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      (bytes, places, damages) => {
        for (const [place, byte] of damages) if (bytes.length > 0) bytes[place % bytes.length] = byte;
        expect(read(cut(bytes, places))).toStrictEqual(read([bytes]));
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a line near the limit is judged alike, whole or in pieces", () => {
  for (const letter of ["x", "€"]) {
    const frame = `["p",2,"${A}","k",""]`;
    const bytesEach = encode(letter).length;
    for (const extra of [-bytesEach, 0, bytesEach]) {
      const text = letter.repeat(Math.floor((MAX_LINE_BYTES - frame.length + extra) / bytesEach));
      const bytes = encode(`["p",1,"${A}","k",1]\n${frame.replace('""', `"${text}"`)}\n["m",3,"${A}",null]\n`);
      const whole = read([bytes]);
      for (const place of [1, 50, 4_000_000, bytes.length - 30, bytes.length - 1]) {
        const inPieces = read(cut(bytes, [place]));
        expect(inPieces.ops.map((op) => op.id.counter)).toEqual(whole.ops.map((op) => op.id.counter));
        expect(inPieces.problems).toEqual(whole.problems);
        expect(inPieces.position).toEqual(whole.position);
      }
    }
  }
});

test("a file cut off at any byte and completed later gives everything", () => {
  const bytes = encode(`${valid.join("\n")}\n${valid[1]}`);
  const whole = read([bytes]);
  for (let length = 0; length <= bytes.length; length++) {
    const early = read([bytes.subarray(0, length)]);
    const late = read([bytes.subarray(early.position.offset)], early.position);
    // what the cut-off line gave, if it gave anything, comes again with the whole line
    const settled = read([bytes.subarray(0, early.position.offset)]);
    expect([...settled.ops, ...late.ops]).toStrictEqual(whole.ops);
    expect(late.problems).toEqual([]);
    expect(late.position).toEqual(whole.position);
    for (const op of early.ops) expect(whole.ops).toContainEqual(op);
  }
});

/** Reads one line at a time with `JSON.parse` alone: an operation, "skipped", or the code of a problem; `undefined` if that does not suffice. */
function readPlainly(text: string): (VertexOperation | string | undefined)[] {
  const ids = new IdPool();
  return text.split("\n").map((each) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(each);
    } catch {
      // torn, or with something around it: the general parser's own business
      return undefined;
    }
    try {
      const fields = checkFields(parsed, ids);
      return fields ? toOperation(fields, "peer", ids) : "skipped";
    } catch (error) {
      if (error instanceof LineError) return error.code;
      throw error;
    }
  });
}

const mutation = fc.record({
  place: fc.nat(),
  remove: fc.nat({ max: 3 }),
  insert: fc.oneof(
    fc.constantFrom(
      "",
      " ",
      "\t",
      "\r",
      ",",
      '"',
      "[",
      "]",
      "{",
      "}",
      "{}",
      "[]",
      ":",
      "\\",
      "0",
      "1",
      "9",
      "00",
      ".",
      "e",
      "-",
      "null",
      "true",
      ",1",
      '\\"',
      "\\u0041",
      "\u2028",
      "\uFEFF",
      "\0",
      "\u007f",
      A,
      B,
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  ),
});

test("the parser agrees with JSON.parse on every line, damaged or not", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...valid), fc.array(mutation, { maxLength: 3 })), { minLength: 1, maxLength: 5 }),
      (lines) => {
        const mutated = lines.map(([original, mutations]) => {
          let text = original;
          for (const { place, remove, insert } of mutations) {
            const at = place % (text.length + 1);
            text = text.slice(0, at) + insert + text.slice(at + remove);
          }
          // as it comes out of a file
          return new TextDecoder().decode(encode(text)).replaceAll("\n", "");
        });
        // first every valid line, so that all ids and keys are known
        const text = [...valid, ...mutated].join("\n");
        const expected = readPlainly(text);
        for (const [index, each] of text.split("\n").entries()) {
          const known = read([encode(`${valid.join("\n")}\n${each}`)]);
          const ops = known.ops.slice(valid.length - 1);
          const problems = known.problems.map(({ code }) => code);
          const plain = expected[index];
          if (plain === undefined) expect(ops.length + problems.length).toBeLessThanOrEqual(3);
          else if (plain === "skipped") expect({ ops, problems }).toEqual({ ops: [], problems: [] });
          else if (typeof plain === "string") expect({ ops, problems }).toEqual({ ops: [], problems: [plain] });
          else expect({ ops, problems }).toStrictEqual({ ops: [plain], problems: [] });
        }
      },
    ),
    { numRuns: 1_500 },
  );
});

test("a removal written with spaces is a removal, also if all else in the line is known", () => {
  const { ops } = read([
    encode(`["p",1,"${A}","k",1]\n["p",2,"${A}","k", {}]\n["p",3,"${A}","k",\t{ } ]\n["p",4,"${A}","k", {},1]\n`),
  ]);
  expect(ops.map((op) => "value" in op && op.value)).toEqual([1, undefined, undefined, {}]);
});
