import * as fc from "fast-check";
import { expect, test } from "vitest";
import { alsoOn, newPage, plainRows, sync, type Device } from "./test-pages.ts";

test("typing without long pauses in one item is one step", () => {
  const page = newPage(["a"]);
  const id = page.id("a");
  page.type(id, "ab", "abc");
  page.type(id, "abcd");
  page.editor.undo();
  expect(page.drawn).toEqual(["abc"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a"]);
  expect(page.editor.canUndo).toBe(false);
  page.editor.redo();
  page.editor.redo();
  expect(page.drawn).toEqual(["abcd"]);
  expect(page.editor.canRedo).toBe(false);
});

test("typing in another item, and any command in between, begins a new step", () => {
  const page = newPage(["a", "b"]);
  const [a, b] = [page.id("a"), page.id("b")];
  page.editor.setText(a, "a1");
  page.editor.setText(b, "b1");
  page.editor.setText(a, "a2");
  page.editor.toggleDone(b);
  page.editor.setText(a, "a3");
  const seen: string[] = [];
  while (page.editor.canUndo) {
    page.editor.undo();
    seen.push(page.drawn.join());
  }
  expect(seen).toEqual(["a2,b1 x", "a2,b1", "a1,b1", "a1,b", "a,b"]);
});

test("after undo, typing is a step of its own and ends what could be redone", () => {
  const page = newPage(["a"]);
  const id = page.id("a");
  page.editor.setText(id, "ab");
  page.editor.undo();
  page.editor.setText(id, "ac");
  expect(page.editor.canRedo).toBe(false);
  page.editor.undo();
  expect(page.drawn).toEqual(["a"]);
});

test("undo and redo say where the caret goes", () => {
  const page = newPage(["one two", "b"]);
  const id = page.id("one two");
  page.editor.setText(id, "one 33 two");
  expect(page.editor.undo()).toEqual({ id, offset: 4 });
  expect(page.editor.redo()).toEqual({ id, offset: 7 });
  const b = page.id("b");
  page.editor.remove([b]);
  expect(page.editor.undo()).toEqual({ id: b, offset: 1 });
  expect(page.editor.redo()).toBeUndefined();
});

test("observers are notified of every step, undo and redo", () => {
  const page = newPage(["a"]);
  const seen: [boolean, boolean][] = [];
  const end = page.editor.observe(() => seen.push([page.editor.canUndo, page.editor.canRedo]));
  page.editor.setText(page.id("a"), "b");
  page.editor.undo();
  page.editor.redo();
  page.editor.setText(page.id("b"), "b");
  end();
  page.editor.undo();
  expect(seen).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
});

test("deleted items come back with their descendants, in their places", () => {
  const page = newPage(["a", "b", "  c", "    d", "e"]);
  const before = page.outline.rows;
  page.editor.remove([page.id("b"), page.id("a")]);
  expect(page.drawn).toEqual(["e"]);
  page.editor.undo();
  expect(page.outline.rows).toEqual(before);
  page.editor.redo();
  expect(page.drawn).toEqual(["e"]);
});

test("no more than 500 steps are kept", () => {
  const page = newPage(["a"]);
  for (let step = 0; step < 600; step++) page.editor.toggleDone(page.outline.rows[0]!.id);
  let count = 0;
  while (page.editor.canUndo) {
    page.editor.undo();
    count++;
  }
  expect(count).toBe(500);
});

test("every command is undone and redone in one step", () => {
  const lines = ["a", "  b", "    c", "  d", "e", "  f", "g"];
  const commands: ((page: Device) => unknown)[] = [
    (page) => page.editor.setText(page.id("c"), "changed"),
    (page) => page.editor.split(page.id("b"), 1),
    (page) => page.editor.split(page.id("e"), 0),
    (page) => page.editor.insertAfter(page.id("a"), "new"),
    (page) => page.editor.joinWithPrevious(page.id("d")),
    (page) => page.editor.joinWithPrevious(page.id("b")),
    (page) => page.editor.indent(page.id("e")),
    (page) => page.editor.outdent(page.id("b")),
    (page) => page.editor.moveUp(page.id("f")),
    (page) => page.editor.moveDown(page.id("d")),
    (page) => page.editor.moveTo(page.id("g"), page.id("a"), page.id("b")),
    (page) => page.editor.toggleDone(page.id("a")),
    (page) => page.editor.toggleCollapsed(page.id("a")),
    (page) => page.editor.remove([page.id("b"), page.id("c"), page.id("g")]),
    (page) => page.editor.paste(page.id("d"), 0, "1\n  2\n3"),
    (page) => page.editor.insertNodes(page.id("e"), [{ text: "x", children: [{ text: "y", children: [] }] }]),
    (page) =>
      page.editor.together(() => {
        page.editor.setText(page.id("a"), "changed");
        for (const text of ["g", "e"]) page.editor.toggleDone(page.id(text));
        page.editor.indent(page.id("e"));
      }),
  ];
  for (const command of commands) {
    const page = newPage(lines);
    const before = page.outline.rows;
    command(page);
    const after = page.outline.rows;
    expect(after).not.toEqual(before);
    page.editor.undo();
    expect(page.outline.rows).toEqual(before);
    expect(page.editor.canUndo).toBe(false);
    page.editor.redo();
    expect(page.outline.rows).toEqual(after);
    page.editor.undo();
    expect(page.outline.rows).toEqual(before);
  }
});

test("undo gives back order keys that had to change", () => {
  const page = newPage(["a"]);
  for (const text of ["x", "y"]) page.tree.newVertex("page", { text, order: "a1" });
  const [first] = page.outline.rows.slice(1);
  const before = page.outline.rows;
  page.editor.insertAfter(first!.id, "between");
  expect(page.drawn[2]).toBe("between");
  page.editor.undo();
  expect(page.outline.rows).toEqual(before);
  expect(page.tree.getVertexProperty(before[2]!.id, "order")).toBe("a1");
});

// ---- what others have changed since ----

test("a text that another device has changed since is left alone, and the previous step is undone instead", () => {
  const page = newPage(["a", "b"]);
  const [a, b] = [page.id("a"), page.id("b")];
  page.editor.setText(b, "b1");
  page.editor.setText(a, "a1");
  const other = alsoOn(page, "b");
  other.editor.setText(a, "theirs");
  sync(page, other);
  page.editor.undo();
  expect(page.drawn).toEqual(["theirs", "b"]);
  expect(page.editor.canUndo).toBe(false);
});

test("an undo removes only the own text if another device has edited the item since", () => {
  const page = newPage(["milk"]);
  const id = page.id("milk");
  page.editor.setText(id, "milk and bread");
  const other = alsoOn(page, "b");
  other.editor.setText(id, "buy milk and bread today");
  sync(page, other);
  page.editor.undo();
  expect(page.drawn).toEqual(["buy milk today"]);
  page.editor.redo();
  expect(page.drawn).toEqual(["buy milk and bread today"]);
  sync(page, other);
  other.editor.undo();
  expect(other.drawn).toEqual(["milk and bread"]);
});

test("an earlier write of another device, or a concurrent one without effect, does not prevent an undo", () => {
  const page = newPage(["a"], "z");
  const other = alsoOn(page, "b");
  const id = page.id("a");
  other.editor.setText(id, "theirs");
  page.type(id, "min", "mine");
  sync(page, other);
  expect(page.drawn).toEqual(["mine"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a"]);
});

test("an undo of a step leaves later changes by others alone", () => {
  const page = newPage(["ab", "c"]);
  page.editor.split(page.id("ab"), 1);
  const other = alsoOn(page, "b");
  other.editor.setText(other.id("a"), "A");
  sync(page, other);
  page.editor.undo();
  expect(page.drawn).toEqual(["Ab", "c"]);
  page.editor.redo();
  expect(page.drawn).toEqual(["A", "b", "c"]);
});

test("an item that another device has moved since stays there", () => {
  const page = newPage(["a", "b", "c"]);
  page.editor.indent(page.id("b"));
  const other = alsoOn(page, "b");
  other.editor.indent(other.id("c"));
  other.editor.moveTo(other.id("b"), other.id("c"), undefined);
  sync(page, other);
  expect(page.drawn).toEqual(["a", "  c", "    b"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a", "  c", "    b"]);
});

test("an own item that another device has edited since does not go into the bin", () => {
  const page = newPage(["a"]);
  page.editor.insertAfter(undefined, "mine");
  page.editor.insertAfter(undefined, "untouched");
  const other = alsoOn(page, "b");
  other.editor.insertNodes(other.id("mine"), [{ text: "theirs", children: [] }]);
  sync(page, other);
  page.editor.undo();
  page.editor.undo();
  expect(page.drawn).toEqual(["a", "mine", "  theirs"]);
});

test("an item does not move back if others have deleted its old parent, or moved that below the item", () => {
  const page = newPage(["a", "  b", "c"]);
  const [a, b, c] = [page.id("a"), page.id("b"), page.id("c")];
  page.editor.moveTo(b, c, undefined);
  const other = alsoOn(page, "b");
  other.editor.remove([a]);
  sync(page, other);
  page.editor.undo();
  expect(page.drawn).toEqual(["c", "  b"]);
  const again = newPage(["a", "  b", "c"]);
  again.editor.moveTo(again.id("b"), again.id("c"), undefined);
  const third = alsoOn(again, "b");
  third.editor.moveTo(third.id("a"), third.id("b"), undefined);
  sync(again, third);
  again.editor.undo();
  expect(again.drawn).toEqual(["c", "  b", "    a"]);
});

test("edits that bypass the editor count as those of others", () => {
  const page = newPage(["a"]);
  const id = page.id("a");
  page.editor.setText(id, "b");
  page.tree.setVertexProperty(id, "text", "c");
  page.editor.undo();
  expect(page.drawn).toEqual(["c"]);
});

test("a burst of typing into which another device wrote is undone down to that", () => {
  const page = newPage(["a"]);
  const other = alsoOn(page, "b");
  const id = page.id("a");
  page.editor.setText(id, "a1");
  sync(page, other);
  other.editor.setText(id, "theirs");
  sync(page, other);
  page.editor.setText(id, "theirs, and mine");
  page.editor.undo();
  expect(page.drawn).toEqual(["theirs"]);
});

const command = fc.record({
  device: fc.nat({ max: 2 }),
  kind: fc.constantFrom(
    "text",
    "split",
    "join",
    "indent",
    "outdent",
    "up",
    "down",
    "drag",
    "remove",
    "paste",
    "done",
    "collapse",
  ),
  at: fc.nat(),
  to: fc.nat(),
});
const step = fc.oneof(
  { weight: 6, arbitrary: command },
  {
    weight: 1,
    arbitrary: fc.record({ device: fc.nat({ max: 2 }), kind: fc.constantFrom("undo", "redo"), at: fc.nat(), to: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.constant({ device: 0, kind: "sync", at: 0, to: 0 }) },
);

function run({ editor, outline, tree }: Device, kind: string, at: number, to: number): void {
  if (kind === "undo") editor.undo();
  if (kind === "redo") editor.redo();
  const { rows } = outline;
  if (rows.length === 0) return void editor.insertAfter(undefined, "again");
  const [{ id, text }, target] = [rows[at % rows.length]!, rows[to % rows.length]!];
  if (kind === "text") editor.setText(id, `text ${to % 10}`);
  if (kind === "split") editor.split(id, to % (text.length + 1));
  if (kind === "join") editor.joinWithPrevious(id);
  if (kind === "indent") editor.indent(id);
  if (kind === "outdent") editor.outdent(id);
  if (kind === "up") editor.moveUp(id);
  if (kind === "down") editor.moveDown(id);
  if (kind === "drag" && id !== target.id && !tree.isAncestor(target.id, id)) editor.moveTo(id, target.id, undefined);
  if (kind === "remove") editor.remove([id, target.id]);
  if (kind === "paste") editor.paste(id, to % (text.length + 1), "1\n  2\n3");
  if (kind === "done") editor.toggleDone(id);
  if (kind === "collapse") editor.toggleCollapsed(id);
}

test("on one device, undoing everything restores the beginning, and redoing everything the end", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
      const page = newPage(["a", "  b", "  c", "    d", "e", "f", "  g"]);
      const before = page.outline.rows;
      for (const { kind, at, to } of commands) {
        page.now += 5_000;
        run(page, kind, at, to);
      }
      const after = page.outline.rows;
      while (page.editor.canUndo) page.editor.undo();
      expect(page.outline.rows).toEqual(before);
      while (page.editor.canRedo) page.editor.redo();
      expect(page.outline.rows).toEqual(after);
    }),
    { numRuns: 150 },
  );
});

test("after any actions of three devices and an exchange, all show the same", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const first = newPage(["a", "  b", "  c", "    d", "e", "f", "  g"]);
      const devices = [first, alsoOn(first, "b"), alsoOn(first, "c")];
      for (const { device, kind, at, to } of steps) {
        if (kind === "sync") sync(...devices);
        else run(devices[device]!, kind, at, to);
      }
      sync(...devices);
      for (const { outline, tree } of devices) {
        expect(outline.rows).toEqual(first.outline.rows);
        expect(outline.rows).toEqual(plainRows(tree, "page"));
      }
    }),
    { numRuns: 150 },
  );
});
