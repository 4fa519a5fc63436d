import { expect, test } from "vitest";
import type { JsonValue } from "./json-value.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

// The compiler checks this file: each expected error must be one.

interface Address {
  readonly street: string;
  readonly lines?: readonly string[];
}

interface Person {
  name: string;
  addresses: Address[];
}

const tree = new ReplicatedTree("peer");
const vertex = tree.createRoot("root");

test("values with interfaces and readonly lists as types are accepted", () => {
  const address: Address = { street: "Main", lines: ["a"] };
  const person: Person = { name: "Ada", addresses: [address] };
  vertex.setProperty("person", person);
  vertex.setProperty("address", address);
  vertex.setProperty("list", ["a", 1, null] as const);
  const optional: Address | undefined = tree.peerId === "" ? address : undefined;
  vertex.setProperty("optional", optional);
  const value: JsonValue | undefined = vertex.getProperty("person");
  vertex.setProperty("copy", value);
  vertex.setTransientProperty("draft", address);
  tree.setVertexProperty("root", "person", person, true);
  vertex.setProperties(person);
  vertex.newChild(person);
  vertex.newChild({ address, list: [1, 2] as readonly number[] });
  expect(vertex.getProperty("copy")).toEqual(person);
});

test("values that JSON cannot carry are refused by the compiler, and when they are set", () => {
  const refused: unknown = expect.objectContaining({ code: "FOLD_BAD_VALUE" });
  // @ts-expect-error -- a date has methods
  expect(() => vertex.setProperty("date", new Date())).toThrow(refused);
  // @ts-expect-error -- a function
  expect(() => vertex.setProperty("function", () => 1)).toThrow(refused);
  // @ts-expect-error -- a bigint inside
  expect(() => vertex.setProperty("bigint", { value: 1n })).toThrow(refused);
  // @ts-expect-error -- a map
  expect(() => vertex.setTransientProperty("map", new Map([["a", 1]]))).toThrow(refused);
  const unknown: unknown = Symbol("x");
  // @ts-expect-error -- it may be anything
  expect(() => tree.setVertexProperty("root", "unknown", unknown)).toThrow(refused);
});

test("values that are read cannot be changed, in types as at run time", () => {
  vertex.setProperty("list", [{ a: 1 }]);
  const list = vertex.getProperty("list");
  if (typeof list !== "object" || list === null || !("length" in list)) throw new Error("not a list");
  // @ts-expect-error -- readonly
  expect(() => list.push(2)).toThrow(TypeError);
  const object: JsonValue = vertex.getProperties();
  expect(() => {
    // @ts-expect-error -- readonly
    object["list"][0] = 5;
  }).toThrow(TypeError);
});
