import { describe, expect, test } from "vitest";
import { draggedRows, dropTarget, type DropRow } from "./drop-target.ts";

/** `a`, `.b` and `..c` are rows of depth 0, 1 and 2; `a+` is collapsed and has children. */
function rowsOf(text: string): DropRow[] {
  return text.split(" ").map((word) => {
    const id = word.replace(/[.+]/g, "");
    const isCollapsed = word.endsWith("+");
    return { id, depth: word.lastIndexOf(".") + 1, isCollapsed, hasChildren: isCollapsed };
  });
}

const OUTLINE = rowsOf("a .b ..c .d e");

describe("draggedRows", () => {
  test("takes all below along, and nothing twice", () => {
    expect([...draggedRows(OUTLINE, new Set(["b"]))]).toEqual(["b", "c"]);
    expect([...draggedRows(OUTLINE, new Set(["a", "c", "e"]))]).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("dropTarget", () => {
  const nothing: ReadonlySet<string> = new Set();

  test("takes the depth that the pointer asks for, where it is possible", () => {
    expect(dropTarget(OUTLINE, nothing, 4, 0)).toEqual({ parentId: undefined, beforeId: "e", depth: 0 });
    expect(dropTarget(OUTLINE, nothing, 4, 1)).toEqual({ parentId: "a", beforeId: undefined, depth: 1 });
    expect(dropTarget(OUTLINE, nothing, 4, 9)).toEqual({ parentId: "d", beforeId: undefined, depth: 2 });
  });

  test("stays at least as deep as the row below, whose parent would change otherwise", () => {
    expect(dropTarget(OUTLINE, nothing, 2, 0)).toEqual({ parentId: "b", beforeId: "c", depth: 2 });
  });

  test("goes to the top and to the end", () => {
    expect(dropTarget(OUTLINE, nothing, 0, 3)).toEqual({ parentId: undefined, beforeId: "a", depth: 0 });
    expect(dropTarget(OUTLINE, nothing, 5, 0)).toEqual({ parentId: undefined, beforeId: undefined, depth: 0 });
  });

  test("does not go under what is dragged", () => {
    const dragged = draggedRows(OUTLINE, new Set(["b"]));
    expect(dropTarget(OUTLINE, dragged, 2, 2)).toEqual({ parentId: "a", beforeId: "d", depth: 1 });
    expect(dropTarget(OUTLINE, dragged, 3, 2)).toEqual({ parentId: "a", beforeId: "d", depth: 1 });
  });

  test("does not go under what is collapsed", () => {
    expect(dropTarget(rowsOf("a+ b"), nothing, 1, 5)).toEqual({ parentId: undefined, beforeId: "b", depth: 0 });
  });
});
