import { type } from "arktype";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import type { BoundVertex } from "./bind.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

function newVertex(props: object = {}): Vertex {
  return new ReplicatedTree("peer").createRoot("root").newChild(props);
}

interface Person {
  name: string;
  age: number;
  role: string;
  tags: string[];
}

const bindings: readonly (readonly [string, (vertex: Vertex) => BoundVertex<Person>])[] = [
  [
    "Zod",
    (vertex) =>
      vertex.bind(
        z.object({
          name: z.string().min(1),
          age: z.number().int().min(0),
          role: z.string().default("guest"),
          tags: z.array(z.string()).default([]),
        }),
      ),
  ],
  [
    "Valibot",
    (vertex) =>
      vertex.bind(
        v.object({
          name: v.pipe(v.string(), v.minLength(1)),
          age: v.pipe(v.number(), v.integer(), v.minValue(0)),
          role: v.optional(v.string(), "guest"),
          tags: v.optional(v.array(v.string()), []),
        }),
      ),
  ],
  [
    "ArkType",
    (vertex) =>
      vertex.bind(
        type({
          name: "string > 0",
          age: "number.integer >= 0",
          role: "string = 'guest'",
          tags: type("string[]").default(() => []),
        }),
      ),
  ],
];

for (const [library, bind] of bindings) {
  test(`${library}: values are checked when they are assigned, and the schema's issues are the cause`, () => {
    const person = bind(newVertex({ name: "Ada", age: 36 }));
    person.age = 37;
    expect(person.age).toBe(37);
    const issues: unknown = expect.arrayContaining([
      { path: expect.any(Array) as unknown, message: expect.any(String) as unknown },
    ]);
    expect(() => (person.age = -1)).toThrow(
      expect.objectContaining({
        code: "FOLD_BAD_VALUE",
        data: { key: "age", issues },
        cause: expect.objectContaining({ issues: expect.any(Array) as unknown }) as unknown,
      }),
    );
    expect(() => Object.assign(person, { name: 5 })).toThrow(expect.objectContaining({ code: "FOLD_BAD_VALUE" }));
    expect([person.name, person.age]).toEqual(["Ada", 37]);
  });

  test(`${library}: defaults are given when missing properties are read, and not stored`, () => {
    const vertex = newVertex({ name: "Ada", age: 36 });
    const person = bind(vertex);
    expect([person.role, person.tags]).toEqual(["guest", []]);
    expect(vertex.getProperty("role")).toBeUndefined();
    person.role = "admin";
    expect(person.role).toBe("admin");
    expect(person.$parse()).toEqual({ name: "Ada", age: 36, role: "admin", tags: [] });
  });

  test(`${library}: stored data that does not fit is reported, given as it is, and can be mended`, () => {
    const person = bind(newVertex({ name: "Ada", age: "old" }));
    expect(person.age).toBe("old");
    expect(person.$issues).toMatchObject([{ path: ["age"] }]);
    expect(() => person.$parse()).toThrow(/^These properties do not fit the schema: age: /);
    person.age = 36;
    expect(person.$issues).toEqual([]);
  });
}

test("the types of bound members come from the schema, and lists in them are readonly", () => {
  const person = newVertex({ name: "Ada", tags: ["x"] }).bind(v.object({ name: v.string(), tags: v.array(v.string()) }));
  const name: string = person.name;
  expect(name).toBe("Ada");
  // @ts-expect-error -- a number is no string
  expect(() => (person.name = 5)).toThrow();
  // @ts-expect-error -- readonly
  expect(() => person.tags.push("y")).toThrow(TypeError);
  person.tags = [...person.tags, "y"];
  expect(person.tags).toEqual(["x", "y"]);
});

test("an interface describes a bound vertex without a schema", () => {
  const person = newVertex().bind<Person>();
  person.name = "Ada";
  expect([person.name, person.$issues, person.$parse()]).toEqual(["Ada", [], { name: "Ada" }]);
});
