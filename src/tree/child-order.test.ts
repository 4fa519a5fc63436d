import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ChildOrder } from "./child-order.ts";
import { Vertex } from "./vertex.ts";
import { VertexTable } from "./vertex-table.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

/** Children of one parent, with creation times that the tests choose. */
class Family {
  readonly #vertices = new VertexTable();
  readonly #times = new Map<number, string>();
  readonly #order = new ChildOrder(this.#vertices, (vertex) => ({
    id: this.#vertices.idOf(vertex),
    order: undefined,
    createdAt: this.#times.get(vertex) ?? "",
  }));
  readonly #parent = this.#vertices.numberOf("parent");
  readonly #tree = new ReplicatedTree("reader");

  add(id: string, time?: string): void {
    const child = this.#vertices.numberOf(id);
    if (time !== undefined) this.#times.set(child, time);
    this.#vertices.setParent(child, this.#parent);
    this.#order.add(this.#parent, child);
  }

  delete(id: string): void {
    this.#order.remove(this.#parent, this.#vertices.numberOf(id));
  }

  setTime(id: string, time: string | undefined): void {
    const child = this.#vertices.numberOf(id);
    this.#order.reorder(this.#parent, child, () => this.#times.set(child, time ?? ""));
  }

  get ids(): string[] {
    return this.#order.inOrder(this.#parent).map((child) => this.#vertices.idOf(child));
  }

  get handles(): readonly Vertex[] {
    return this.#order.handles(this.#parent, (child) => new Vertex(this.#tree, this.#vertices.idOf(child)));
  }
}

test("children come by creation time, then by id", () => {
  const family = new Family();
  family.add("c", "2026-01-02");
  family.add("b", "2026-01-01");
  family.add("d", "2026-01-01");
  family.add("a", "2026-01-03");
  expect(family.ids).toEqual(["b", "d", "c", "a"]);
});

test("children without a creation time come first", () => {
  const family = new Family();
  family.add("b", "2026-01-01");
  family.add("d");
  family.add("a");
  expect(family.ids).toEqual(["a", "d", "b"]);
});

test("the order is that of code units, whatever the locale", () => {
  const family = new Family();
  for (const id of ["å", "z", "aa", "Z", "10", "9"]) family.add(id);
  expect(family.ids).toEqual(["10", "9", "Z", "aa", "z", "å"]);
});

test("a child finds its new place when its creation time changes", () => {
  const family = new Family();
  for (const [id, time] of [
    ["a", "1"],
    ["b", "2"],
    ["c", "3"],
  ] as const)
    family.add(id, time);
  expect(family.ids).toEqual(["a", "b", "c"]);
  family.setTime("a", "4");
  expect(family.ids).toEqual(["b", "c", "a"]);
  family.setTime("a", undefined);
  expect(family.ids).toEqual(["a", "b", "c"]);
});

test("the list of vertices is the same one until something changes", () => {
  const family = new Family();
  for (let index = 0; index < 3; index++) family.add(`${index}`);
  const { handles } = family;
  expect(family.handles).toBe(handles);
  family.add("3");
  expect(family.handles).not.toBe(handles);
  expect(family.handles.map(({ id }) => id)).toEqual(["0", "1", "2", "3"]);
});

test("the order does not depend on when it is read", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const times = fc.constantFrom("1", "2", "3", undefined);
  const step = fc.record({ id: ids, time: times, action: fc.constantFrom("add", "delete", "reorder", "look") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const members = new Map<string, string | undefined>();
      const family = new Family();
      for (const { id, time, action } of steps) {
        if (action === "add" && !members.has(id)) {
          family.add(id, time ?? "");
          members.set(id, time);
        } else if (action === "delete" && members.has(id)) {
          family.delete(id);
          members.delete(id);
        } else if (action === "reorder" && members.has(id)) {
          family.setTime(id, time);
          members.set(id, time);
        } else void family.ids;
      }
      const fresh = new Family();
      for (const [id, time] of members) fresh.add(id, time ?? "");
      expect(family.ids).toEqual(fresh.ids);
      expect(family.ids).toHaveLength(members.size);
    }),
  );
});
