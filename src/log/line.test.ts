import { MAX_COUNTER, MAX_NESTING } from "../limits.ts";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isValidId, type JsonValue, type VertexOperation } from "../tree/index.ts";
import { encodeLine, excerpt } from "./line.ts";
import { LogParser } from "./parser.ts";

const peerId = "a".repeat(32);

/** The operation that a reader gets from the line of an operation. */
function reread(op: VertexOperation): VertexOperation | undefined {
  const parser = new LogParser({ peerId: op.id.peerId });
  // twice, as the second time the ids and keys are known
  parser.push(new TextEncoder().encode(`${encodeLine(op)}\n${encodeLine(op)}\n`));
  expect(parser.problems).toEqual([]);
  expect(isDeepStrictEqual(parser.ops[1], parser.ops[0])).toBe(true);
  return parser.ops[0];
}

function property(value: JsonValue | undefined, key = "text"): VertexOperation {
  return { id: { counter: 7, peerId }, targetId: "b".repeat(32), key, value, transient: false };
}

const anyText = fc.string({ unit: "binary" });
const oddText = fc.constantFrom(
  "__proto__",
  "constructor",
  "toJSON",
  "\ud800",
  "\udc00x",
  "\u2028\u2029",
  '"]\n["m",1,"a",null]',
  "\\",
  "\0",
  "\uFEFF",
  "",
);
const text = fc.oneof(anyText, oddText);
const anyId = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
    fc.constantFrom("__proto__", "constructor", "\ud800", "\u2028", "0", " ", "c".repeat(32), "d".repeat(256)),
  )
  .filter(isValidId);
const counter = fc.oneof(fc.integer({ min: 1, max: MAX_COUNTER }), fc.constantFrom(1, MAX_COUNTER));
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue[]>(null, true, false, 0, "", -1.5, 1e300, Number.MAX_SAFE_INTEGER),
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.array(tie("value")),
    fc.array(fc.tuple(text, tie("value"))).map((members) => Object.fromEntries(members)),
  ),
}));
const opId = counter.map((number) => ({ counter: number, peerId }));
const operation: fc.Arbitrary<VertexOperation> = fc.oneof(
  fc.tuple(opId, anyId, fc.option(anyId)).map(([own, targetId, parentId]) => ({ id: own, targetId, parentId })),
  fc
    .tuple(opId, anyId, text, fc.option(anyValue, { nil: undefined }))
    .map(([own, targetId, key, given]) => ({ id: own, targetId, key, value: given, transient: false })),
);

test("every operation comes back from its line as it was", () => {
  fc.assert(
    fc.property(operation, (op) => {
      expect(encodeLine(op)).not.toMatch(/[\n\r]/);
      // not toStrictEqual, which is misled by a member named "constructor"
      expect(isDeepStrictEqual(reread(op), op)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ["removed", undefined, "{}"],
  ["the empty object", {}, "{},1"],
  ["an empty array", [], "[]"],
  ["null", null, "null"],
  ["zero", 0, "0"],
  ["false", false, "false"],
  ["the empty text", "", '""'],
  ["an object in an array", [{}], "[{}]"],
  ["an array that looks like an operation", ["m", 1, "a", null], '["m",1,"a",null]'],
])("a property that is %s is distinct from all others", (_name, value, json) => {
  const op = property(value);
  expect(encodeLine(op)).toBe(`["p",7,"${"b".repeat(32)}","text",${json}]`);
  expect(reread(op)).toStrictEqual(op);
});

test.each(["__proto__", "constructor", "hasOwnProperty"])(
  "a key %s is plain data, as a property's name and inside a value",
  (key) => {
    const inside = JSON.parse(`{"${key}":{"polluted":true}}`) as JsonValue;
    const op = reread(property(inside, key)) as { key: string; value: object };
    expect(op.key).toBe(key);
    expect(Object.getOwnPropertyNames(op.value)).toEqual([key]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  },
);

test("halves of characters survive, which UTF-8 cannot carry", () => {
  const op = property("\ud83d \udc4d\ud83d", "\udfff");
  expect(reread(op)).toStrictEqual(op);
});

test("moves are written with their parent, a root's with null", () => {
  const id = { counter: 1, peerId };
  expect(encodeLine({ id, targetId: "0", parentId: null })).toBe('["m",1,"0",null]');
  expect(encodeLine({ id, targetId: "a b", parentId: "é" })).toBe('["m",1,"a b","é"]');
});

test("a draft is never written", () => {
  const draft: VertexOperation = { id: { counter: 1, peerId }, targetId: "a", key: "text", value: "x", transient: true };
  expect(() => encodeLine(draft)).toThrow(expect.objectContaining({ code: "FOLD_BAD_OPERATION" }));
});

test("the deepest value that a tree takes is read back", () => {
  let value: JsonValue = 1;
  for (let level = 0; level < MAX_NESTING; level++) value = level % 2 ? [value] : { value };
  expect(reread(property(value))).toStrictEqual(property(value));
});

test("excerpts are short and safe to print", () => {
  expect(excerpt("a\u0007\n")).toBe('"a\\u0007\\n"');
  expect(excerpt("x".repeat(1_000))).toHaveLength(62 + "… (1000 characters)".length);
});
