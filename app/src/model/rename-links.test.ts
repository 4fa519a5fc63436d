import { expect, test } from "vitest";
import { noteOf } from "./item.ts";
import { isLinkedAs, linkedPage, titlesThatLed } from "./page-titles.ts";
import { renameLinks, renameLinksOf } from "./rename-links.ts";
import { SharedStep } from "./shared-step.ts";
import { alsoOn, newPage, notified, sync } from "./test-pages.ts";
import { TextVersions } from "./text-versions.ts";

const rename = { former: ["Plans"], title: "Projects" };

test.each([
  ["see [[Plans]].", "see [[Projects]]."],
  ["[[plans]] and [[ PLÁNS ]]", "[[Projects]] and [[ Projects ]]"],
  ["[[Plans|those]] stay “those”", "[[Projects|those]] stay “those”"],
  ["**[[Plans]]** in [[Plans for May]]", "**[[Projects]]** in [[Plans for May]]"],
  ["Plans, [Plans](https://plans.example/[[Plans]])", "Plans, [Plans](https://plans.example/[[Plans]])"],
  ["`[[Plans]]` and \\[[Plans]]", "`[[Plans]]` and \\[[Plans]]"],
  ["[[Plans", "[[Plans"],
  ["[[x|Plans]]", "[[x|Plans]]"],
])("of %j, a rename makes %j", (text, renamed) => {
  expect(renameLinks(text, rename)).toBe(renamed);
});

test("if only case or accents change, links in a spelling of their own stay", () => {
  expect(renameLinks("[[Cafe]], [[café]], [[CAFE]]", { former: ["Cafe"], title: "Café" })).toBe("[[Café]], [[café]], [[CAFE]]");
});

test("of several pages whose titles differ only in case or accents, a link leads to the first", () => {
  const pages = [
    { treeId: "1", title: "Other" },
    { treeId: "2", title: "plans" },
    { treeId: "3", title: "Pláns" },
  ];
  expect(linkedPage(pages, " PLANS ")?.treeId).toBe("2");
  expect(linkedPage(pages, "")).toBeUndefined();
  expect(isLinkedAs(pages, "3", "Pláns")).toBe(false);
  const renamed = pages.map((page) => (page.treeId === "1" ? page : { ...page, title: "Projects" }));
  // the links led to page 2, and not to page 3
  expect(titlesThatLed([renamed[0]!, renamed[1]!, pages[2]!], "2", ["plans", "", "a|b"])).toEqual(["plans"]);
  expect(titlesThatLed([renamed[0]!, pages[1]!, renamed[2]!], "3", ["Pláns"])).toEqual([]);
});

test("links are renamed in texts and notes, and one undo takes all of it back, on every page", () => {
  const [one, two] = [newPage(["see [[Plans]]", "x"]), newPage(["[[plans|that]]"], "b")];
  one.editor.setNote(one.id("x"), "first\n[[Plans]]");
  const ids = [one.id("see [[Plans]]"), one.id("x"), two.id("[[plans|that]]")] as const;
  const others: string[] = [];
  const step = new SharedStep({ undo: () => others.push("undo") > 0, redo: () => others.push("redo") > 0 });
  one.editor.share(step, () => expect(renameLinksOf(one.editor, ids.slice(0, 2), rename)).toBe(2));
  two.editor.share(step, () => expect(renameLinksOf(two.editor, [ids[2]], rename)).toBe(1));
  const shown = (): unknown[] => [...one.drawn, noteOf(one.tree, ids[1]), ...two.drawn];
  const renamed = ["see [[Projects]]", "x", "first\n[[Projects]]", "[[Projects|that]]"];
  expect(shown()).toEqual(renamed);
  one.type(ids[0], "see [[Projects]] now");
  // below the later edit of the first page, the step can still be undone from the second
  two.editor.undo();
  expect(shown()).toEqual(["see [[Plans]] now", "x", "first\n[[Plans]]", "[[plans|that]]"]);
  expect([step.isUndone, others]).toEqual([true, ["undo"]]);
  two.editor.redo();
  expect(shown()).toEqual(["see [[Projects]] now", ...renamed.slice(1)]);
  one.editor.undo();
  one.editor.undo();
  expect(shown()).toEqual(["see [[Plans]]", "x", "first\n[[Plans]]", "[[plans|that]]"]);
  expect(others).toEqual(["undo", "redo", "undo"]);
});

test("a shared step without an edit of a page is undone from there, too, and an edit after that ends its redo everywhere", () => {
  const [one, two] = [newPage(["a"]), newPage(["[[Plans]]"], "b")];
  const step = new SharedStep({ undo: () => true, redo: () => true });
  one.editor.share(step, () => undefined);
  two.editor.share(step, () => renameLinksOf(two.editor, [two.id("[[Plans]]")], rename));
  expect([one.editor.canUndo, two.drawn]).toEqual([true, ["[[Projects]]"]]);
  one.editor.undo();
  expect([one.editor.canRedo, two.editor.canRedo, two.drawn]).toEqual([true, true, ["[[Plans]]"]]);
  one.type(one.id("a"), "b");
  expect([one.editor.canRedo, two.editor.canRedo]).toEqual([false, false]);
});

test("a rename on one device and a text on another are both in the item, whichever is later", async () => {
  for (const isRenameLater of [false, true]) {
    const a = newPage(["see [[Plans]]"], "z");
    const id = a.id("see [[Plans]]");
    const [one, two] = [alsoOn(a, "b"), alsoOn(a, "c")];
    const edits = [
      () => two.type(id, "see [[Plans]] before June"),
      () => void renameLinksOf(one.editor, [id], rename),
      () => two.type(id, "first see [[Plans]] before June"),
    ];
    for (const edit of isRenameLater ? edits.toReversed() : edits) edit();
    sync(one, two);
    await notified();
    for (const { tree } of [one, two])
      expect(TextVersions.of(tree).current(id).text).toBe(
        isRenameLater ? "see [[Projects]] before June" : "first see [[Projects]] before June",
      );
  }
});

test("a rename is undone and redone before its merge with another device's text is written", async () => {
  for (const [peer, other] of [
    ["b", "c"],
    ["c", "b"],
  ] as const) {
    const a = newPage(["see [[plans]]"], "z");
    const id = a.id("see [[plans]]");
    const [one, two] = [alsoOn(a, peer), alsoOn(a, other)];
    renameLinksOf(one.editor, [id], rename);
    two.type(id, "see [[plans]] and", "see [[plans]] and later");
    const shown = async (): Promise<string[]> => {
      sync(one, two);
      await notified();
      return [one, two].map(({ tree }) => TextVersions.of(tree).current(id).text);
    };
    expect(await shown()).toEqual(Array(2).fill("see [[Projects]] and later"));
    one.editor.undo();
    expect(await shown()).toEqual(Array(2).fill("see [[plans]] and later"));
    one.editor.redo();
    expect(await shown()).toEqual(Array(2).fill("see [[Projects]] and later"));
  }
});

test("two devices that give a page different titles leave both texts whole, and the same on both", async () => {
  const a = newPage(["see [[Plans]]"], "z");
  const id = a.id("see [[Plans]]");
  const [one, two] = [alsoOn(a, "b"), alsoOn(a, "c")];
  renameLinksOf(one.editor, [id], { former: ["Plans"], title: "My Plans" });
  renameLinksOf(two.editor, [id], { former: ["Plans"], title: "Plans for May" });
  sync(one, two);
  await notified();
  for (const { tree } of [one, two]) expect(TextVersions.of(tree).current(id).text).toBe("see [[My Plans for May]]");
});
