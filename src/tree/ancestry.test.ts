import { expect, test } from "vitest";
import { Random } from "../testing/random.ts";
import { VertexTable } from "./vertex-table.ts";

function isAtOrBelow(parents: readonly number[], vertex: number, above: number): boolean {
  for (let at = vertex; at > 0; at = parents[at]!) if (at === above) return true;
  return false;
}

for (const shape of ["a chain", "a few chains", "any tree"] as const) {
  test(`whether a vertex is below another one is found in ${shape}, while vertices move`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const count = random.integer(2, 3_000);
      const vertices = new VertexTable();
      // row 0 stands for no vertex
      const parents = [0];
      const setParent = (vertex: number, parent: number): void => {
        parents[vertex] = parent;
        vertices.setParent(vertex, parent);
      };
      for (let vertex = 1; vertex <= count; vertex++) {
        vertices.numberOf(`${vertex}`);
        const isLinked = vertex > 1 && (shape === "a chain" || random.chance(0.99));
        setParent(vertex, isLinked ? (shape === "any tree" ? random.integer(1, vertex - 1) : vertex - 1) : 0);
      }
      for (let step = 0; step < 600; step++) {
        const [vertex, other] = [random.integer(1, vertices.last), random.integer(1, vertices.last)];
        const isBelow = isAtOrBelow(parents, vertex, other);
        expect(vertices.isAtOrBelow(vertex, other), `seed ${seed}, step ${step}`).toBe(isBelow);
        // some vertices lose their parents, some move, and some move back before anything is asked
        if (random.chance(0.1)) setParent(vertex, random.pick([0, -1]));
        else if (!isAtOrBelow(parents, other, vertex)) setParent(vertex, other);
        if (random.chance(0.05)) setParent(vertices.numberOf(`later ${step}`), vertex);
        if (vertices.last > parents.length - 1) parents.push(vertex);
        if (random.chance(0.05)) dissolveAndRestore(vertices, parents);
      }
    }
  });
}

/** As a replay does. */
function dissolveAndRestore(vertices: VertexTable, parents: readonly number[]): void {
  for (let vertex = 1; vertex < parents.length; vertex++) vertices.setParent(vertex, 0);
  for (let vertex = 1; vertex < parents.length; vertex++) vertices.setParent(vertex, parents[vertex]!);
}
