import { expect, test } from "vitest";
import { completeLink, isLinkable, linkQueryAt } from "./link-query.ts";
import { PageLinks } from "./page-links.ts";
import { newPage, notified } from "./test-pages.ts";

function added(links: PageLinks, treeId: string, page: ReturnType<typeof newPage>): void {
  const reading = links.add(treeId, page.tree);
  while (reading.next().done !== true);
}

test("an unfinished link is recognised by the caret behind it", () => {
  expect(linkQueryAt("see [[Pla", 9)).toEqual({ from: 4, query: "Pla" });
  expect(linkQueryAt("see [[Pla", 6)).toEqual({ from: 4, query: "" });
  expect(linkQueryAt("see [[Pla", 5)).toBeUndefined();
  expect(linkQueryAt("[[Plan]] and", 12)).toBeUndefined();
  expect(linkQueryAt("[[a]] [[b", 9)).toEqual({ from: 6, query: "b" });
  expect(linkQueryAt("[[a|b", 5)).toBeUndefined();
  expect(linkQueryAt("plain", 5)).toBeUndefined();
});

test("a link is completed up to its closing brackets, with the caret behind", () => {
  const at = (text: string, offset: number): { text: string; offset: number } =>
    completeLink(text, offset, linkQueryAt(text, offset)!, "Plans");
  expect(at("see [[Pl today", 8)).toEqual({ text: "see [[Plans]] today", offset: 13 });
  expect(at("[[Pl]]", 4)).toEqual({ text: "[[Plans]]", offset: 9 });
  expect(at("[[", 2)).toEqual({ text: "[[Plans]]", offset: 9 });
  expect(["Plans", "a [b]", "a|b", " "].filter(isLinkable)).toEqual(["Plans"]);
});

test("the items that link to a title are found, whatever its case, with their ancestors", () => {
  const [one, two] = [
    newPage(["see [[Plans]]", "  a", "    and [[plans|that]]"]),
    newPage(["- x", "  in a note: [[PLÁNS]]"], "b"),
  ];
  const links = new PageLinks();
  added(links, "one", one);
  added(links, "two", two);
  expect(links.linksTo("Plans").map(({ treeId, text, path }) => [treeId, text, ...path])).toEqual([
    ["one", "see [[Plans]]"],
    ["one", "and [[plans|that]]", "see [[Plans]]", "a"],
    ["two", "x"],
  ]);
  expect(links.linksTo("Plan")).toEqual([]);
});

test("links follow edits, deletions and restored items", async () => {
  const page = newPage(["a", "b [[Old]]"]);
  const links = new PageLinks();
  added(links, "page", page);
  let times = 0;
  links.observe(() => times++);
  const texts = (title: string): string[] => links.linksTo(title).map(({ text }) => text);
  page.editor.setText(page.id("a"), "a [[New]]");
  page.editor.setText(page.id("b [[Old]]"), "b");
  expect([texts("New"), texts("Old")]).toEqual([["a [[New]]"], []]);
  await notified();
  expect(times).toBe(1);
  page.editor.setText(page.id("b"), "plain");
  await notified();
  expect(times).toBe(1);
  page.editor.remove([page.id("a [[New]]")]);
  expect(texts("New")).toEqual([]);
  page.editor.undo();
  expect(texts("New")).toEqual(["a [[New]]"]);
  await notified();
  expect(times).toBe(2);
  links.close();
  expect(texts("New")).toEqual([]);
});
