import { expect, test } from "vitest";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { SchemaLike } from "./schema.ts";
import type { Vertex } from "./vertex.ts";

interface Range extends Record<string, unknown> {
  from?: number;
  to?: number;
  title?: string;
}

interface Issue {
  readonly path: readonly unknown[];
  readonly message: string;
}

/** Faults of a range, as object schemas with a rule over several members report them. */
function faultsOf(value: unknown): Issue[] {
  const { from, to } = value as Range;
  const missing = (["from", "to"] as const).flatMap((key) =>
    typeof (value as Range)[key] === "number" ? [] : [{ path: [key], message: `${key} is no number` }],
  );
  // a rule over the whole is not asked while parts of it are wrong
  if (missing.length > 0) return missing;
  return from! > to! ? [{ path: [], message: "it ends before it begins" }] : [];
}

function trimmed(value: unknown): Range {
  const range = value as Range;
  return typeof range.title === "string" ? { ...range, title: range.title.trim() } : range;
}

const refined: SchemaLike<Range> = {
  safeParse(value) {
    const issues = faultsOf(value);
    return issues.length > 0 ? { success: false, error: { issues } } : { success: true, data: trimmed(value) };
  },
};

/** As the libraries beside Zod come. Some of their schemas are functions. */
const standard: SchemaLike<Range> = Object.assign(() => undefined, {
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value: unknown) {
      const issues = faultsOf(value).map(({ path, message }) => ({ path: path.map((key) => ({ key })), message }));
      return issues.length > 0 ? { issues } : { value: trimmed(value) };
    },
  },
});

const refused: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_BAD_VALUE" });

function newVertex(props: Range = {}): Vertex {
  return new ReplicatedTree("peer").createRoot("root").newChild(props);
}

for (const [kind, schema] of [
  ["a refined schema of Zod's kind", refined],
  ["a Standard Schema", standard],
] as const) {
  test(`${kind} checks what is assigned, also while the object is incomplete`, () => {
    const vertex = newVertex();
    const range = vertex.bind<Range>(schema);
    range.from = 5;
    expect(() => Object.assign(range, { from: "five" })).toThrow(refused);
    expect(() => (range.to = 4)).toThrow("it ends before it begins");
    range.to = 6;
    expect(() => (range.from = 7)).toThrow(refused);
    expect(() => Object.assign(range, { to: "seven" })).toThrow("to is no number");
    expect(() => delete range.to).toThrow(refused);
    expect(vertex.getProperties()).toMatchObject({ from: 5, to: 6 });
    range.$useTransients((draft) => {
      expect(() => (draft.to = 1)).toThrow(refused);
      draft.to = 9;
    });
    expect(range.to).toBe(9);
  });

  test(`${kind} transforms what is assigned once the object is complete`, () => {
    const range = newVertex({ from: 1, to: 2 }).bind<Range>({ schema });
    range.title = "  a title ";
    expect(range.title).toBe("a title");
    Object.assign(range, { unknown: "kept as it is" });
    expect(range["unknown"]).toBe("kept as it is");
  });

  test(`${kind} lets an object be mended that is wrong already`, () => {
    const range = newVertex({ from: 9, to: 1 }).bind<Range>(schema);
    range.title = "x";
    range.to = 10;
    expect(() => (range.to = 3)).toThrow(refused);
  });
}

test("the rule of an object holds beside the schemas of its properties", () => {
  const shape = { from: { safeParse: (value: unknown) => ({ success: true as const, data: Number(value) }) } };
  const range = newVertex({ from: 1, to: 2 }).bind<Range>({ ...refined, shape });
  Object.assign(range, { from: 2 });
  expect(() => (range.from = 3)).toThrow("it ends before it begins");
  expect(range.from).toBe(2);
});

test("properties may have schemas of any library", () => {
  const positive = {
    "~standard": { validate: (value: unknown) => (Number(value) > 0 ? { value } : { issues: [{ message: "is not positive" }] }) },
  };
  const range = newVertex().bind<Range>({ shape: { from: positive } });
  range.from = 1;
  expect(() => (range.from = -1)).toThrow("is not positive");
});

test("a schema that refuses without a reason refuses", () => {
  const range = newVertex().bind<Range>({ safeParse: () => ({ success: false }) });
  expect(() => (range.from = 1)).toThrow(refused);
});

test("a schema that cannot check is refused when it is bound, and changes nothing", () => {
  const vertex = newVertex();
  const rejecting = { "~standard": { validate: () => Promise.reject(new Error("of nobody")) } };
  const throwing = {
    safeParse() {
      throw new Error("needs to wait");
    },
  };
  const unusable: unknown[] = [
    { parse: () => undefined },
    { shape: { from: {} } },
    { shape: { from: 5 } },
    { "~standard": {} },
    { schema: { validate: () => true } },
    () => true,
    new (class {
      validate(): boolean {
        return true;
      }
    })(),
    "text",
    5,
    rejecting,
    throwing,
    { safeParse: () => undefined },
  ];
  const { opCount } = vertex.tree;
  for (const schema of unusable) expect(() => vertex.bind(schema as SchemaLike<Range>), String(schema)).toThrow(refused);
  expect(vertex.tree.opCount).toBe(opCount);
});

test("no schema is no schema", () => {
  for (const none of [undefined, {}, { schema: undefined }, { includeInternalKeys: true }, null]) {
    const bound = newVertex().bind(none as unknown as SchemaLike<Record<string, unknown>>);
    bound["any"] = "thing";
    expect(bound["any"]).toBe("thing");
  }
});

test("internal properties are the schema's business only where they are asked for", () => {
  const strict: SchemaLike<Range> = {
    safeParse: (value) => {
      const extra = Object.keys(value as object).filter((key) => !["from", "to"].includes(key));
      return extra.length > 0
        ? { success: false, error: { issues: [{ path: [], message: `has ${extra.join()}` }] } }
        : { success: true, data: {} };
    },
  };
  const range = newVertex().bind<Range>(strict);
  range.from = 1;
  expect(() => (range.title = "x")).toThrow("has title");
});
