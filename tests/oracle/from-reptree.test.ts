import { readFileSync } from "node:fs";
import * as reptree from "reptree";
import ts from "typescript";
import { afterEach, describe, expect, test } from "vitest";
import * as zod from "zod";
import type {
  BindedVertex,
  BindOptions,
  JsonPrimitive,
  JsonValue,
  MoveVertex,
  OpId,
  OpIdRange,
  SchemaLike,
  SetVertexProperty,
  TreeVertexId,
  TreeVertexProperty,
  VertexChangeEvent,
  VertexChildrenChangeEvent,
  VertexMoveEvent,
  VertexOperation,
  VertexPropertyChangeEvent,
  VertexPropertyType,
} from "../../src/reptree/index.ts";
import * as ours from "../../src/reptree/index.ts";

const readme = readFileSync(new URL("../../node_modules/reptree/README.md", import.meta.url), "utf8");
const page = readFileSync(new URL("../../docs/from-reptree.md", import.meta.url), "utf8");
const examples = Array.from(readme.matchAll(/```(?:ts|typescript)\n([^]*?)```/g), ([, code]) => code!);

interface AnyTree {
  readonly root: { readonly id: string } | undefined;
  getChildren(vertexId: string): readonly { readonly id: string }[];
  getVertexProperties(vertexId: string): readonly { readonly key: string; readonly value: unknown }[];
}

const opened: AnyTree[] = [];

afterEach(() => {
  // every tree of `reptree` starts a timer, which would keep the process alive
  for (const tree of opened.splice(0)) (tree as { state?: { dispose(): void } }).state?.dispose();
});

/** Runs an example of README with a library in the place of `reptree`. @returns its trees */
function run(example: string, library: object): AnyTree[] {
  const modules: Readonly<Record<string, object>> = { reptree: library, zod };
  const { outputText } = ts.transpileModule(example, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const exported = `${outputText}\nreturn [tree, typeof otherTree === "undefined" ? undefined : otherTree];`;
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the example is a module of its own
  const body = new Function("require", "exports", exported) as (require: (name: string) => object, exports: object) => AnyTree[];
  const trees = body((name) => modules[name]!, {}).filter((tree) => tree !== undefined);
  opened.push(...trees);
  return trees;
}

/** The vertices under the root, without their ids and times. */
function shown(tree: AnyTree, vertexId: string = tree.root!.id): unknown {
  const properties = tree.getVertexProperties(vertexId).filter(({ key }) => key !== "_c");
  return {
    properties: Object.fromEntries(properties.map(({ key, value }) => [key, value])),
    children: tree.getChildren(vertexId).map(({ id }) => shown(tree, id)),
  };
}

test("README of reptree has examples", () => {
  expect(examples).toHaveLength(2);
});

test.each(examples)("an example of README of reptree has the same result with both libraries: %#", (example) => {
  const [here, there] = [run(example, ours), run(example, reptree)];
  expect(here.length).toBeGreaterThan(0);
  expect(here.map((tree) => shown(tree))).toEqual(there.map((tree) => shown(tree)));
});

test("all values that reptree exports are here, except those that the page says are not available", () => {
  const missing = Object.keys(reptree).filter((name) => !(name in ours));
  expect(missing.sort()).toEqual(["TreeState", "VertexState"]);
  for (const name of Object.keys(reptree)) expect(page).toContain(`\`${name}\``);
});

test("all public methods of its classes are here", () => {
  const inner = new Set(["constructor", "getVertexByPathArray", "ensureNullVertex"]);
  const isInner = (name: string): boolean =>
    inner.has(name) ||
    /^(?:apply|newVertexInternal|update(?:Lamport)|set(?:LLW|Transient)Property|reportOp|tryToMove|undoMove)/.test(name);
  const pairs: readonly (readonly [object, object])[] = [
    [reptree.RepTree.prototype, ours.RepTree.prototype],
    [reptree.Vertex.prototype, ours.Vertex.prototype],
    [reptree.StateVector.prototype, ours.StateVector.prototype],
  ];
  for (const [theirs, prototype] of pairs) {
    const members = Object.getOwnPropertyNames(theirs).filter((member) => !isInner(member));
    expect(members.length).toBeGreaterThan(5);
    const known = new Set(["tree", "id"]);
    expect(members.filter((member) => !(member in prototype) && !known.has(member))).toEqual([]);
  }
});

test("its types have their names here", () => {
  const range: OpIdRange = { peerId: "a", start: 1, end: 2 };
  const id: OpId = ours.createOpId(1, "a");
  const move: MoveVertex = ours.newMoveVertexOp(1, "a", "x", null);
  const set: SetVertexProperty = ours.newSetVertexPropertyOp(2, "a", "x", "key", 1);
  const all: readonly VertexOperation[] = [move, set, ours.newSetTransientVertexPropertyOp(3, "a", "x", "key", 2)];
  const tree = new ours.RepTree("b", all);
  const vertexId: TreeVertexId = "x";
  const property: TreeVertexProperty | undefined = tree.getVertexProperties(vertexId)[0];
  const value: VertexPropertyType = property?.value;
  const primitive: JsonPrimitive = 1;
  const json: JsonValue = [primitive, value ?? null];
  const events: VertexChangeEvent[] = [];
  const [first] = events as (VertexMoveEvent | VertexPropertyChangeEvent | VertexChildrenChangeEvent)[];
  const options: BindOptions<{ key: number }> = { schema: zod.z.object({ key: zod.z.number() }) };
  const schema: SchemaLike<{ key: number }> | undefined = options.schema;
  const bound: BindedVertex<{ key: number }> = ours.bindVertex<{ key: number }>(tree, "x", schema);
  expect([bound.key, id.peerId, range.start, json, first]).toEqual([2, "a", 1, [1, 2], undefined]);
});

describe("the functions of ids and sets of ids", () => {
  const texts = ["1@a", "2@a", "2@b", "10@a"];

  test("compare ids as those of reptree", () => {
    for (const a of texts)
      for (const b of texts) {
        expect(ours.compareOpId(a, b)).toBe(reptree.compareOpId(a, b));
        expect(ours.equalsOpId(a, ours.tryParseOpIdStr(b))).toBe(reptree.equalsOpId(a, b));
        expect(ours.isOpIdGreaterThan(a, b)).toBe(reptree.isOpIdGreaterThan(a, b));
      }
    expect(ours.equalsOpId(null, "1@a")).toBe(false);
    expect(ours.opIdToString(ours.tryParseOpIdStr("3@x@y"))).toBe("3@x@y");
    expect(() => ours.tryParseOpIdStr("peer")).toThrow(expect.objectContaining({ code: "FOLD_BAD_ID" }));
    expect(ours.uuid()).toMatch(/^[0-9a-f]{32}$/);
  });

  test("subtract sets as reptree does", () => {
    const state = {
      a: [
        [1, 5],
        [8, 8],
        [10, 20],
      ],
      b: [[3, 4]],
    };
    const others = [
      {},
      {
        a: [
          [2, 3],
          [8, 12],
        ],
      },
      { a: [[1, 30]] },
      {
        a: [
          [1, 1],
          [5, 8],
        ],
        b: [[1, 9]],
        c: [[1, 1]],
      },
    ];
    for (const other of others) {
      const expected = new reptree.StateVector(state).diff(new reptree.StateVector(other));
      const vector = new ours.StateVector(state);
      expect(vector.diff(new ours.StateVector(other))).toEqual(expected);
      expect(vector.clone().getState()).toEqual(state);
      expect([vector.contains({ counter: 8, peerId: "a" }), vector.contains({ counter: 9, peerId: "a" })]).toEqual([true, false]);
    }
  });
});

describe("the methods that only RepTree has", () => {
  function sample(): ours.RepTree {
    const tree = new ours.RepTree("a");
    const root = tree.createRoot("root");
    const b = root.newNamedChild("b", { size: 1 });
    root.newNamedChild("a");
    b.newChild({ type: "x" });
    return tree;
  }

  test("printTree draws what that of reptree draws", () => {
    const tree = sample();
    const theirs = new reptree.RepTree("b", tree.getAllOps() as reptree.VertexOperation[]);
    opened.push(theirs);
    // a tree of reptree that got its root by merging draws nothing before it has been read
    expect(theirs.root?.id).toBe("root");
    expect(tree.printTree()).toBe(theirs.printTree());
    expect(new ours.RepTree("c").printTree()).toBe("");
  });

  test("trees are compared, replicated and parsed", () => {
    const tree = sample();
    const replica = tree.replicate("b");
    expect([replica.compareMoveOps(tree), ours.RepTree.compareVertices("root", tree, replica)]).toEqual([true, true]);
    const b = replica.getVertexByPath("b")!;
    b.setProperty("size", 2);
    expect(ours.RepTree.compareVertices("root", tree, replica)).toBe(false);
    expect(replica.compareMoveOps(tree)).toBe(true);
    replica.root!.newChild();
    expect(replica.compareMoveOps(tree)).toBe(false);
    tree.merge(replica.getMissingOps(tree.getStateVector()));
    expect(tree.compareStructure(replica)).toBe(true);
    const { size } = replica.parseVertex(b.id, zod.z.object({ size: zod.z.number() }));
    expect(size).toBe(2);
    replica.stateVectorEnabled = false;
    expect(replica.stateVectorEnabled).toBe(true);
    const ops = tree.getAllOps().filter((op) => op.targetId === "0");
    expect(() => new ours.RepTree("c", ops)).toThrow(expect.objectContaining({ code: "FOLD_NO_ROOT" }));
  });
});
