import * as fc from "fast-check";
import { expect, test } from "vitest";
import { comparePages, textParts, type RowChange } from "./compare-pages.ts";
import { History } from "./history.ts";
import { newPage, type Device } from "./test-pages.ts";

/** Changes as lines: `+` came, `-` went, `~` was changed, `>` was moved; `[x]` and `[ ]` where the tick was changed. */
function drawn(changes: readonly RowChange[]): string[] {
  const signs = { added: "+", removed: "-", changed: "~", moved: ">" };
  return changes.map(({ kind, isMoved, isDone, parts }) => {
    const text = parts.map((part) => ({ same: part.text, added: `{+${part.text}+}`, removed: `{-${part.text}-}` })[part.kind]);
    const tick = isDone === undefined || kind === "removed" ? "" : isDone ? "[x] " : "[ ] ";
    return `${signs[kind]}${isMoved && kind === "changed" ? ">" : ""} ${tick}${text.join("")}`;
  });
}

function changesOf(page: Device, act: () => void): string[] {
  const before = new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER);
  act();
  return drawn(comparePages(before, new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER)));
}

test("a text that became another shows what came and went in it", () => {
  expect(textParts("call Bob at five", "call Rob at five today")).toEqual([
    { kind: "same", text: "call " },
    { kind: "removed", text: "Bob" },
    { kind: "added", text: "Rob" },
    { kind: "same", text: " at five" },
    { kind: "added", text: " today" },
  ]);
  expect(textParts("same", "same")).toEqual([{ kind: "same", text: "same" }]);
  expect(textParts("", "")).toEqual([]);
});

test("a note that became another is a change of its item", () => {
  const page = newPage(["a", "- b", "  old note"]);
  const before = new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER);
  page.editor.setNote(page.id("b"), "new note");
  expect(comparePages(before, new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER))).toMatchObject([
    {
      kind: "changed",
      parts: [{ kind: "same", text: "b" }],
      note: [
        { kind: "removed", text: "old" },
        { kind: "added", text: "new" },
        { kind: "same", text: " note" },
      ],
    },
  ]);
  page.editor.becomeAgain(before);
  expect(page.outline.row(page.id("b"))?.note).toBe("old note");
});

test("what came, went, was changed, ticked off or moved is listed in the order of the page", () => {
  const page = newPage(["a", "  b", "c", "d", "e"]);
  const ids = Object.fromEntries(page.outline.rows.map(({ id, text }) => [text, id]));
  expect(
    changesOf(page, () => {
      page.editor.setText(ids["a"]!, "a plan");
      page.editor.remove([ids["b"]!]);
      page.editor.insertAfter(ids["c"], "new");
      page.editor.toggleDone(ids["d"]!);
      page.editor.moveTo(ids["e"]!, "page", ids["a"]);
    }),
  ).toEqual(["> e", "~ a{+ plan+}", "- {-b-}", "+ {+new+}", "~ [x] d"]);
  expect(changesOf(page, () => undefined)).toEqual([]);
});

test("of siblings that changed places, as few as possible are said to have moved", () => {
  const page = newPage(["a", "b", "c", "d", "e"]);
  expect(changesOf(page, () => page.editor.moveTo(page.id("a"), "page", undefined))).toEqual(["> a"]);
  expect(changesOf(page, () => page.editor.indent(page.id("c")))).toEqual(["> c"]);
});

test("a page that becomes again what it was at a moment is the page of that moment, in one step", () => {
  const command = fc.record({ kind: fc.nat({ max: 7 }), at: fc.nat(), to: fc.nat() });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), fc.nat(), (commands, moment) => {
      const page = newPage(["a", "  b", "    c", "d", "e"]);
      for (const { kind, at, to } of commands) {
        page.now += 5_000;
        const { rows } = page.outline;
        const [item, target] = [rows[at % rows.length], rows[to % rows.length]];
        if (!item || !target || kind === 0) page.editor.insertAfter(item?.id, `new ${to % 10}`);
        else if (kind === 1) page.editor.setText(item.id, `text ${to % 10}`);
        else if (kind === 2) page.editor.indent(item.id);
        else if (kind === 3) page.editor.outdent(item.id);
        else if (kind === 4) page.editor.remove([item.id]);
        else if (kind === 5) page.editor.toggleDone(item.id);
        else if (kind === 6) page.editor.moveUp(item.id);
        else if (!page.tree.isAncestor(target.id, item.id) && target !== item) page.editor.moveTo(item.id, target.id, undefined);
      }
      const history = new History(page.tree);
      const now = history.outlineAt(Number.MAX_SAFE_INTEGER);
      const then = history.outlineAt(moment % history.moments.length);
      page.now += 5_000;
      page.editor.becomeAgain(then);
      const again = new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER);
      expect(again).toEqual(then);
      if (comparePages(now, then).length === 0) return;
      page.editor.undo();
      expect(new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER)).toEqual(now);
    }),
    { numRuns: 200 },
  );
});
