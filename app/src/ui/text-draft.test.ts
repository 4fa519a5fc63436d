import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { alsoOn, newPage, sync, type Device } from "../model/test-pages.ts";
import { conflictsOn } from "../model/test-conflicts.ts";
import { applyChanges } from "../model/text-change.ts";
import { TextVersions } from "../model/text-versions.ts";
import { TextDraft } from "./text-draft.ts";

let here: Device;
let other: Device;
/** Items by their first texts. */
let one: string;
let two: string;
let stores: string[];
let isPending: boolean;
/** The shown text of an edited item, updated by the changes that the draft reports. */
let shown: string;

function newDraft(): TextDraft {
  const versions = TextVersions.of(here.tree);
  return new TextDraft({
    stored: (id) => versions.stored(id),
    current: (id) => versions.current(id),
    ingest: (id, parents, text, caret) => versions.ingest(id, parents, text, caret),
    store: (id, text, written) => {
      here.editor.setText(id, text, written);
      stores.push(text);
      return versions.stored(id);
    },
    onPending: (pending) => (isPending = pending),
    onIngested: (_, changes) => {
      for (const each of changes) shown = applyChanges(shown, each);
    },
  });
}

/** Types like a user who continues the shown text. */
function write(draft: TextDraft, id: string, text: string): void {
  shown = text;
  draft.write(id, text);
}

beforeEach(() => {
  vi.useFakeTimers();
  here = newPage(["one", "two"]);
  other = alsoOn(here, "b");
  [one, two] = [here.id("one"), here.id("two")];
  stores = [];
  isPending = false;
});

afterEach(() => {
  vi.useRealTimers();
});

test("stores what was written after a pause, once", () => {
  const draft = newDraft();
  for (const text of ["one t", "one tw", "one two"]) {
    write(draft, one, text);
    vi.advanceTimersByTime(100);
  }
  expect([stores, isPending]).toEqual([[], true]);
  vi.advanceTimersByTime(300);
  expect([stores, isPending]).toEqual([["one two"], false]);
});

test("stores now and then during continuous typing", () => {
  const draft = newDraft();
  for (let n = 1; n <= 12; n++) {
    write(draft, one, "x".repeat(n));
    vi.advanceTimersByTime(100);
  }
  expect(stores).toEqual(["xxxxxxxxx"]);
});

test("stores one item's text when another is written", () => {
  const draft = newDraft();
  write(draft, one, "one!");
  write(draft, two, "other");
  expect(stores).toEqual(["one!"]);
});

test("stores nothing while a character is being composed", () => {
  const draft = newDraft();
  draft.compose(one, "one");
  draft.write(one, "onet");
  draft.store();
  vi.advanceTimersByTime(5_000);
  expect(stores).toEqual([]);
  draft.endComposing(one, "one日");
  vi.advanceTimersByTime(300);
  expect(stores).toEqual(["one日"]);
});

test("changes nothing in a text during a composition, and ingests other texts afterwards", () => {
  const draft = newDraft();
  shown = "onet";
  draft.compose(one, "onet");
  other.type(one, "zero one");
  sync(here, other);
  draft.ingest();
  expect([shown, draft.text]).toEqual(["onet", "onet"]);
  shown = "one日";
  draft.endComposing(one, "one日");
  expect([shown, draft.text]).toEqual(["zero one日", "zero one日"]);
});

test("stores a character that is being composed when the page may go", () => {
  const draft = newDraft();
  draft.compose(one, "onet");
  draft.flush();
  expect([stores, isPending]).toEqual([["onet"], false]);
  draft.endComposing(one, "one日");
  draft.store();
  expect(stores).toEqual(["onet", "one日"]);
});

test("ends composing when another item is written, or the focus goes", () => {
  const draft = newDraft();
  draft.compose(one, "onet");
  draft.write(two, "other");
  expect([stores, draft.isComposing]).toEqual([["onet"], false]);
  draft.compose(two, "otherx");
  draft.finish();
  expect([stores, draft.isComposing, isPending]).toEqual([["onet", "otherx"], false, false]);
});

test("shows the texts of others as soon as they arrive, merged with the draft", () => {
  const draft = newDraft();
  write(draft, one, "one two");
  other.type(one, "zero one");
  sync(here, other);
  draft.ingest();
  expect(shown).toBe("zero one two");
  write(draft, one, "zero one two three");
  draft.store();
  expect(here.drawn[0]).toBe("zero one two three");
  sync(here, other);
  expect(conflictsOn(other)).toEqual([]);
});

test("continues with its own text if others have changed the same words, and both stay whole", () => {
  const draft = newDraft();
  write(draft, one, "six");
  draft.store();
  other.type(one, "n", "ni", "nine");
  sync(here, other);
  expect(here.drawn[0]).toBe("nine");
  draft.ingest();
  expect([shown, draft.text]).toEqual(["six", "six"]);
  write(draft, one, "six sharp");
  draft.finish();
  expect(stores).toEqual(["six", "six sharp"]);
  sync(here, other);
  for (const device of [here, other]) expect(conflictsOn(device)).toEqual(["six sharp/nine"]);
});

test("makes the shown text the winning one before a command", () => {
  const draft = newDraft();
  write(draft, one, "six");
  draft.store();
  other.type(one, "n", "ni", "nine");
  sync(here, other);
  draft.commit();
  expect(here.drawn[0]).toBe("six");
  expect(conflictsOn(here)).toEqual(["six/nine"]);
});

test("keeps the text of others if nothing more was typed", () => {
  const draft = newDraft();
  write(draft, one, "six");
  draft.store();
  other.type(one, "n", "ni", "nine");
  sync(here, other);
  draft.finish();
  expect(stores).toEqual(["six"]);
  expect(conflictsOn(here)).toEqual(["nine/six"]);
});

test("stores nothing if the text is unchanged", () => {
  const draft = newDraft();
  write(draft, one, "one ");
  write(draft, one, "one");
  draft.store();
  expect([stores, isPending]).toEqual([[], false]);
});

test("keeps the draft after a failed write, and retries with the next keystroke", () => {
  let isFull = true;
  const draft = new TextDraft({
    stored: () => ({ text: "" }),
    current: () => ({ text: "", parents: [] }),
    ingest: () => undefined,
    store: (_, text) => {
      if (isFull) return undefined;
      stores.push(text);
      return { text };
    },
    onPending: (pending) => (isPending = pending),
  });
  draft.write(one, "a");
  draft.store();
  expect([stores, isPending, draft.text]).toEqual([[], false, "a"]);
  isFull = false;
  draft.write(one, "ab");
  draft.store();
  expect(stores).toEqual(["ab"]);
});
