import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareOpIds, type OpId } from "foldspace/tree";
import { alsoOn, newPage, sync, type Device } from "./test-pages.ts";
import { conflictsOn } from "./test-conflicts.ts";
import { mapOffsetThrough } from "./text-change.ts";
import { TextVersions } from "./text-versions.ts";

/** Writes the merge of compatible texts, like an idle device. @returns whether a write was needed */
function merge(device: Device, itemId: string): boolean {
  const versions = TextVersions.of(device.tree);
  const { text, merged } = versions.stateOf(itemId)!;
  if (merged.text === text) return false;
  versions.write(itemId, merged.text, merged.parents);
  return true;
}

/** Lets devices exchange and merge until no more writes are needed. @returns the number of exchanges */
function mergeUntilStable(devices: readonly Device[], itemId: string): number {
  for (let exchanges = 1; exchanges < 10; exchanges++) {
    sync(...devices);
    if (devices.filter((device) => merge(device, itemId)).length === 0) return exchanges;
  }
  throw new Error("they never stop");
}

function textsOf(devices: readonly Device[], itemId: string): string[] {
  return [...new Set(devices.map(({ tree }) => TextVersions.of(tree).stored(itemId).text))];
}

function standing(device: Device, itemId: string): { from: string; parents: OpId[] } {
  const { text, opId } = TextVersions.of(device.tree).stored(itemId);
  return { from: text, parents: [opId!] };
}

describe("merging", () => {
  test("puts words that were written at the same time elsewhere together, on all devices", () => {
    const a = newPage(["a plan"]);
    const b = alsoOn(a, "b");
    const c = alsoOn(a, "c");
    const id = a.id("a plan");
    a.type(id, "a plan of", "a plan of Anna");
    b.type(id, "not a plan");
    c.type(id, "a small plan");
    expect(mergeUntilStable([a, b, c], id)).toBe(2);
    expect(textsOf([a, b, c], id)).toEqual(["not a small plan of Anna"]);
    expect(conflictsOn(a)).toEqual([]);
  });

  test("removes nothing from a text for another whose mark has not arrived, nor for what is made of that", () => {
    const page = newPage(["some words"], "z");
    const id = page.id("some words");
    const [b, c] = [alsoOn(page, "b"), alsoOn(page, "c")];
    b.type(id, "a some words", "ab some words");
    c.type(id, "some words of mine");
    const { from, parents } = standing(c, id);
    // files of a device may arrive in any order
    c.tree.merge(b.tree.getAllOps().slice(-1));
    const again = alsoOn(b, "b again");
    again.type(id, "ab some words here");
    c.tree.merge(again.tree.getAllOps().slice(-2));
    expect(TextVersions.of(c.tree).ingest(id, parents, `${from}, typed`)?.text ?? from).toContain("some words of mine");
    mergeUntilStable([b, c, again], id);
    expect(textsOf([b, c, again], id)).toEqual(["ab some words here of mine"]);
  });

  test("takes an edit that a space has repeated under other ids for one edit", () => {
    const page = newPage(["some words"], "z");
    const id = page.id("some words");
    const [b, c] = [alsoOn(page, "b"), alsoOn(page, "c")];
    b.type(id, "some words and more");
    c.type(id, "some swords");
    for (const op of b.tree.getAllOps().slice(-2)) b.tree.reapply(op);
    mergeUntilStable([b, c], id);
    expect(textsOf([b, c], id)).toEqual(["some swords and more"]);
  });

  test("leaves texts whole where the same words were changed", () => {
    const a = newPage(["meet at 5"]);
    const b = alsoOn(a, "b");
    const c = alsoOn(a, "c");
    const id = a.id("meet at 5");
    a.type(id, "meet at 6");
    b.type(id, "meet at", "meet at 9");
    c.type(id, "please meet at 5");
    mergeUntilStable([a, b, c], id);
    expect(textsOf([a, b, c], id)).toEqual(["please meet at 9"]);
    expect(conflictsOn(a)).toEqual(["please meet at 9/meet at 6"]);
  });

  test("does not bring back what somebody has taken away after reading it", () => {
    const a = newPage(["one two three"]);
    const b = alsoOn(a, "b");
    const id = a.id("one two three");
    a.type(id, "one two three four");
    b.type(id, "zero one two three");
    mergeUntilStable([a, b], id);
    b.type(id, "zero one three four");
    a.type(id, "zero one two three four five");
    mergeUntilStable([a, b], id);
    expect(textsOf([a, b], id)).toEqual(["zero one three four five"]);
  });

  test("goes on where both have merged at once", () => {
    const a = newPage(["text"]);
    const b = alsoOn(a, "b");
    const id = a.id("text");
    a.type(id, "text one");
    b.type(id, "a text");
    sync(a, b);
    expect([merge(a, id), merge(b, id)].filter(Boolean).length).toBeGreaterThan(0);
    a.type(id, "a text one more");
    b.type(id, "such a text one");
    mergeUntilStable([a, b], id);
    expect(textsOf([a, b], id)).toEqual(["such a text one more"]);
    expect(conflictsOn(b)).toEqual([]);
  });

  test("is not offered to a device that has been away for long: what it wrote is worked in", () => {
    const a = newPage(["shopping: milk"]);
    const b = alsoOn(a, "b");
    const away = alsoOn(a, "c");
    const id = a.id("shopping: milk");
    away.type(id, "shopping: milk, soap");
    for (let n = 0; n < 10; n++) {
      const writer = n % 2 === 0 ? a : b;
      const { from, parents } = standing(writer, id);
      writer.editor.setText(id, from.replace("milk", `milk ${n}`), { from, parents });
      sync(a, b);
    }
    mergeUntilStable([a, b, away], id);
    expect(textsOf([a, b, away], id)).toEqual(["shopping: milk 9 8 7 6 5 4 3 2 1 0, soap"]);
  });
});

test("what the one writes who made an item is never guessed to have been written over what it had not seen", () => {
  const a = newPage(["meet at 5", "elsewhere"]);
  const [b, c] = [alsoOn(a, "b"), alsoOn(a, "c")];
  const id = a.id("meet at 5");
  b.type(id, "meet at 9");
  // far ahead of both, so that the counter of the item's creator jumps
  c.type(c.id("elsewhere"), ...Array.from({ length: 30 }, (_, n) => `elsewhere ${n}`));
  sync(a, c);
  a.type(id, "meet at 6");
  sync(a, b, c);
  expect(conflictsOn(c)).toEqual(["meet at 6/meet at 9"]);
});

describe("taking in what others write while a text is written", () => {
  test("keeps both, and says what changes", () => {
    const a = newPage(["text"]);
    const b = alsoOn(a, "b");
    const id = a.id("text");
    const { parents } = standing(a, id);
    b.type(id, "a text");
    sync(a, b);
    const taken = TextVersions.of(a.tree).ingest(id, parents, "text of mine")!;
    expect(taken).toEqual({
      text: "a text of mine",
      base: "a text",
      parents: [TextVersions.of(b.tree).stored(id).opId],
      changes: [[{ start: 0, removed: 0, inserted: "a " }]],
    });
    expect(TextVersions.of(a.tree).ingest(id, taken.parents, taken.text)).toBeUndefined();
  });

  test("takes in nothing that changes the same words, until its writer has seen this text", () => {
    const a = newPage(["meet at 5"]);
    const b = alsoOn(a, "b");
    const id = a.id("meet at 5");
    const { from, parents } = standing(a, id);
    b.type(id, "meet at 9");
    sync(a, b);
    expect(TextVersions.of(a.tree).ingest(id, parents, "meet at 6")).toBeUndefined();
    a.editor.setText(id, "meet at 6", { from, parents });
    const mine = standing(a, id).parents;
    sync(a, b);
    b.type(id, "meet at 6 sharp");
    sync(a, b);
    expect(TextVersions.of(a.tree).ingest(id, mine, "do meet at 6")?.text).toBe("do meet at 6 sharp");
  });
});

test("a text of which a part of what it is made of has not arrived is merged when that has", () => {
  const a = newPage(["some wor"], "a");
  const d = alsoOn(a, "d");
  const id = a.id("some wor");
  const lastOf = ({ tree }: Device): OpId => TextVersions.of(tree).stored(id).opId!;
  d.type(id, "b some wor");
  const early = d.tree.getAllOps();
  a.type(id, "some word");
  d.tree.merge(a.tree.getAllOps());
  merge(d, id);
  // the end of one peer's text arrives late; another peer continues after having received only the beginning
  a.type(id, "some words");
  const late = lastOf(a);
  const e = alsoOn(a, "e");
  e.type(id, "some words c");
  e.tree.merge(early);
  merge(e, id);
  d.tree.merge(e.tree.getAllOps().filter((op) => compareOpIds(op.id, late) !== 0));
  expect(merge(d, id)).toBe(false);
  const { parents } = TextVersions.of(d.tree).current(id);
  expect(TextVersions.of(d.tree).ingest(id, parents, "b some word")).toBeUndefined();
  mergeUntilStable([a, d, e], id);
  expect(textsOf([a, d, e], id)).toEqual(["b some words c"]);
  expect(conflictsOn(d)).toEqual([]);
});

describe("taking in what others write where the caret is", () => {
  /** The screen of a user who continues to type at the caret. */
  function typedOn(base: string, mine: string, caret: number, theirs: string, key: string, peerId = "a"): string {
    const a = newPage([base], peerId);
    const b = alsoOn(a, "b");
    const id = a.id(base);
    const { parents } = standing(a, id);
    b.type(id, theirs);
    sync(a, b);
    const taken = TextVersions.of(a.tree).ingest(id, parents, mine, caret)!;
    const at = taken.changes.reduce(mapOffsetThrough, caret);
    return taken.text.slice(0, at) + key + taken.text.slice(at);
  }

  test("keeps a word in one piece that is begun beside the other's", () => {
    // the first blank was typed, the second was there
    expect(typedOn("some words", "some  words", 5, "some awords", "b")).toBe("some b awords");
    expect(typedOn("some words", "some ai words", 8, "some b words", "n")).toBe("some ai nb words");
  });

  test("leaves a blank that was stored to the word that comes next, unless the writer's words come first", () => {
    expect(typedOn("words of", "words of ", 9, "words of a ", "b")).toBe("words of b a ");
    expect(typedOn("some  words", "some  words", 5, "some a  words", "b", "c")).toBe("some a b words");
    expect(typedOn("some, words", "some, words", 6, "some, a words", "b", "c")).toBe("some, ba words");
  });
});

// ---- whatever is written ----

const edit = fc.record({
  device: fc.nat({ max: 2 }),
  syncs: fc.array(fc.nat({ max: 2 }), { maxLength: 2 }),
  kind: fc.constantFrom("insert", "insert", "insert", "remove", "merge", "draft"),
  at: fc.nat(),
});

test("whatever three devices write, they agree after a few exchanges, stop writing, and lose no word", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 25 }), (edits) => {
      const first = newPage(["some words to begin with"]);
      const id = first.id("some words to begin with");
      const devices = [alsoOn(first, "b"), alsoOn(first, "c"), alsoOn(first, "d")];
      const written = new Set<string>();
      /** The text that a device shows during an edit. */
      const drafts = devices.map((device) => standing(device, id));
      for (const [index, { device: n, syncs, kind, at }] of edits.entries()) {
        const device = devices[n]!;
        for (const partner of syncs) sync(device, devices[partner]!);
        if (kind === "merge") {
          merge(device, id);
          continue;
        }
        const versions = TextVersions.of(device.tree);
        if (kind !== "draft") drafts[n] = standing(device, id);
        const draft = drafts[n]!;
        const taken = versions.ingest(id, draft.parents, draft.from);
        if (taken) drafts[n] = { from: taken.text, parents: [...taken.parents] };
        const { from, parents } = drafts[n]!;
        const words = from.split(" ");
        const place = at % (words.length + 1);
        if (kind === "remove" && words.length > 1) for (const gone of words.splice(place, 1)) written.delete(gone);
        else {
          words.splice(place, 0, `w${index}`);
          written.add(`w${index}`);
        }
        device.editor.setText(id, words.join(" "), { from, parents });
        drafts[n] = standing(device, id);
      }
      expect(mergeUntilStable(devices, id)).toBeLessThanOrEqual(4);
      expect(textsOf(devices, id).length).toBe(1);
      const conflicts = devices.map((device) => conflictsOn(device).join(" "));
      expect(new Set(conflicts).size).toBe(1);
      const all = new Set(`${textsOf(devices, id)[0]} ${conflicts[0]!.replaceAll("/", " ")}`.split(" "));
      expect([...written].filter((word) => !all.has(word))).toEqual([]);
    }),
    { numRuns: 400 },
  );
});
