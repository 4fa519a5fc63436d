import { expect, test } from "vitest";
import { SearchIndex, searchTitles, type Found, type FoundPage } from "./search.ts";
import { newPage, type Device } from "./test-pages.ts";

function indexOf(...pages: readonly Device[]): SearchIndex {
  const index = new SearchIndex();
  for (const [number, { tree }] of pages.entries()) index.update(`page ${number}`, tree);
  return index;
}

/** The results, with the matches in brackets. */
function drawn(found: readonly (Found | FoundPage)[]): string[] {
  return found.map(({ text, ranges }) =>
    ranges.toReversed().reduce((rest, [from, to]) => `${rest.slice(0, from)}[${rest.slice(from, to)}]${rest.slice(to)}`, text),
  );
}

test("all words must match, each at the beginning of a word", () => {
  const index = indexOf(newPage(["Buy fresh milk", "milkshake", "buttermilk", "fresh bread"]));
  expect(drawn(index.search("milk"))).toEqual(["Buy fresh [milk]", "[milk]shake"].toSorted((a, b) => a.length - b.length));
  expect(drawn(index.search("mil fr"))).toEqual(["Buy [fr]esh [mil]k"]);
  expect(index.search("fresh butter")).toEqual([]);
  expect([index.search(""), index.search("   ")]).toEqual([[], []]);
});

test("case and accents do not matter, and matches are marked in the original text", () => {
  const index = indexOf(newPage(["Café crème", "CAFE", "cafe\u0301 noir", "Ωμέγας", "İstanbul", "Straße 5"]));
  expect(drawn(index.search("cafe"))).toEqual(["[CAFE]", "[Café] crème", "[cafe\u0301] noir"]);
  expect(drawn(index.search("crÈme"))).toEqual(["Café [crème]"]);
  expect(drawn(index.search("ωμεγασ"))).toEqual(["[Ωμέγας]"]);
  expect(drawn(index.search("istan"))).toEqual(["[İstan]bul"]);
  expect(drawn(index.search("straße"))).toEqual(["[Straße] 5"]);
  expect(drawn(index.search("strasse"))).toEqual(["[Straße] 5"]);
  expect(drawn(index.search("stras"))).toEqual(["[Straß]e 5"]);
  expect(drawn(indexOf(newPage(["Ærø", "Łódź", "un œuf"])).search("aero"))).toEqual(["[Ærø]"]);
  expect(drawn(searchTitles([{ treeId: "page", title: "Łódź in May" }], "lodz"))).toEqual(["[Łódź] in May"]);
});

test("scripts without spaces between words are found anywhere in a text, others not", () => {
  const index = indexOf(newPage(["東京タワー", "한국어 하나", "हिन्दी", "มะม่วงสุก"]));
  expect(drawn(index.search("タワー"))).toEqual(["東京[タワー]"]);
  expect(drawn(index.search("สุก"))).toEqual(["มะม่วง[สุก]"]);
  expect(drawn(index.search("하"))).toEqual(["[한]국어 [하]나"]);
  expect(drawn(index.search("हि"))).toEqual(["[हि]न्दी"]);
});

test("the best comes first: the whole text, its beginning, whole words, short texts", () => {
  const index = indexOf(
    newPage(["see the plan for June", "planet", "plan B for the plan of June", "plan", "plan for June", "the plan"]),
  );
  expect(index.search("plan").map(({ text }) => text)).toEqual([
    "plan",
    "plan for June",
    "plan B for the plan of June",
    "planet",
    "the plan",
    "see the plan for June",
  ]);
  expect(index.search("plan for")[0]?.text).toBe("plan for June");
  expect(index.search("plan", 2).length).toBe(2);
});

test("overlapping and repeated words are marked once", () => {
  const index = indexOf(newPage(["to be or not to be, tomorrow"]));
  expect(drawn(index.search("to tom be"))).toEqual(["[to] [be] or not [to] [be], [tom]orrow"]);
});

test("a result has its ancestors; deleted items are not found", () => {
  const first = newPage(["Home", "  Kitchen", "    Milk"]);
  const second = newPage(["Milk, too"]);
  const index = indexOf(first, second);
  expect(index.search("milk")).toEqual([
    { treeId: "page 0", itemId: first.id("Milk"), text: "Milk", ranges: [[0, 4]], path: ["Home", "Kitchen"] },
    { treeId: "page 1", itemId: second.id("Milk, too"), text: "Milk, too", ranges: [[0, 4]], path: [] },
  ]);
  first.editor.remove([first.id("Kitchen")]);
  index.update("page 0", first.tree);
  expect(index.search("milk").map(({ treeId }) => treeId)).toEqual(["page 1"]);
  index.remove("page 1");
  expect(index.search("milk")).toEqual([]);
});

test("changes are found after a notification, and a tree can replace another", () => {
  const page = newPage(["old"]);
  const index = indexOf(page);
  expect(index.search("old").length).toBe(1);
  page.editor.setText(page.id("old"), "new");
  index.update("page 0", page.tree);
  expect([index.search("old").length, index.search("new").length]).toEqual([0, 1]);
  index.update("page 0", newPage(["other"]).tree);
  expect([index.search("new").length, index.search("other").length]).toEqual([0, 1]);
});

test("punctuation in words and queries is only text", () => {
  const index = indexOf(newPage(["e-mail to foo@example.org (urgent)", "C++ [x] $100 a.b"]));
  for (const query of ["mail", "example", "(urgent", "urgent)", "foo@ex"]) expect(index.search(query).length, query).toBe(1);
  for (const query of ["c++", "[x]", "$100", "100", "a.b"]) expect(index.search(query).length, query).toBe(1);
});

test("pages are found by their titles, and all are listed for an empty query", () => {
  const pages = ["Café notes", "Plans", "My café", "cafe", "decaffeinated"].map((title, n) => ({ treeId: `page ${n}`, title }));
  expect(drawn(searchTitles(pages, "cafe"))).toEqual(["[cafe]", "[Café] notes", "My [café]"]);
  expect(searchTitles(pages, "notes caf").map(({ treeId }) => treeId)).toEqual(["page 0"]);
  expect(drawn(searchTitles(pages, " "))).toEqual(["Café notes", "Plans", "My café", "cafe", "decaffeinated"]);
  expect(searchTitles(pages, "", 2).length).toBe(2);
});

test("an item is found by its note, behind those that have the words in their texts", () => {
  const page = newPage(["- shop", "  for apples", "  and bread", "apples for the shop"]);
  const index = new SearchIndex();
  index.update("page", page.tree);
  expect(index.search("shop apples").map(({ text, note }) => [text, note])).toEqual([
    ["apples for the shop", undefined],
    ["shop", "for apples"],
  ]);
});
