import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TextDraft } from "./text-draft.ts";

let texts: Map<string, string>;
let stores: string[];
let isPending: boolean;

function newDraft(): TextDraft {
  return new TextDraft({
    stored: (id) => ({ text: texts.get(id) ?? "", opId: { counter: 1, peerId: "a" } }),
    store: (id, text, over) => {
      texts.set(id, text);
      stores.push(over ? `${text} over ${over.counter}@${over.peerId}` : text);
    },
    onPending: (pending) => (isPending = pending),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  texts = new Map([["a", "one"]]);
  stores = [];
  isPending = false;
});

afterEach(() => {
  vi.useRealTimers();
});

test("stores what was written after a pause, once", () => {
  const draft = newDraft();
  for (const text of ["one t", "one tw", "one two"]) {
    draft.write("a", text);
    vi.advanceTimersByTime(100);
  }
  expect([stores, isPending]).toEqual([[], true]);
  vi.advanceTimersByTime(300);
  expect([stores, isPending]).toEqual([["one two"], false]);
});

test("stores now and then while somebody writes on", () => {
  const draft = newDraft();
  for (let n = 1; n <= 12; n++) {
    draft.write("a", "x".repeat(n));
    vi.advanceTimersByTime(100);
  }
  expect(stores).toEqual(["xxxxxxxxx"]);
});

test("stores one item's text when another is written", () => {
  const draft = newDraft();
  draft.write("a", "one!");
  draft.write("b", "other");
  expect(stores).toEqual(["one!"]);
});

test("stores nothing while a character is being composed", () => {
  const draft = newDraft();
  draft.compose("a", "one");
  draft.write("a", "onet");
  draft.store();
  vi.advanceTimersByTime(5_000);
  expect(stores).toEqual([]);
  draft.endComposing("a", "one日");
  vi.advanceTimersByTime(300);
  expect(stores).toEqual(["one日"]);
});

test("stores a character that is being composed when the page may go", () => {
  const draft = newDraft();
  draft.compose("a", "onet");
  draft.leave();
  expect([stores, isPending]).toEqual([["onet"], false]);
  draft.endComposing("a", "one日");
  draft.store();
  expect(stores).toEqual(["onet", "one日"]);
});

test("ends composing when another item is written, or the focus goes", () => {
  const draft = newDraft();
  draft.compose("a", "onet");
  draft.write("b", "other");
  expect([stores, draft.isComposing]).toEqual([["onet"], false]);
  draft.compose("b", "otherx");
  draft.finish();
  expect([stores, draft.isComposing, isPending]).toEqual([["onet", "otherx"], false, false]);
});

test("says over which text it wrote where others have changed the same characters", () => {
  const draft = newDraft();
  draft.write("a", "six");
  texts.set("a", "nine");
  draft.store();
  expect(stores).toEqual(["six over 1@a"]);
});

test("keeps what others have changed meanwhile", () => {
  const draft = newDraft();
  draft.write("a", "one two");
  texts.set("a", "zero one");
  draft.store();
  expect(texts.get("a")).toBe("zero one two");
});

test("stores nothing where the text is as it was", () => {
  const draft = newDraft();
  draft.write("a", "one ");
  draft.write("a", "one");
  draft.store();
  expect([stores, isPending]).toEqual([[], false]);
});
