import { MemoryPersistenceLayer, MemoryStore, newId, SpaceManager } from "foldspace";
import { expect, test } from "vitest";
import { createPage, listPages, removePage, renamePage } from "./pages.ts";
import { changeTitle, TitleEdit } from "./title-edit.ts";

test("an edit of a title knows the title without it, and all titles that others may have linked to", () => {
  const edit = new TitleEdit("Plans");
  edit.follow("My Plans", "My Plans for May");
  expect(edit.before).toBe("Plans for May");
  edit.follow("My Plans for May", "My Plans for June");
  expect(edit.before).toBe("Plans for June");
  expect([...edit.former]).toEqual(["Plans", "Plans for May", "My Plans for May", "Plans for June", "My Plans for June"]);
});

test("a rename is taken back out of a title that others have changed since, unless they changed the same words", async () => {
  const layer = new MemoryPersistenceLayer(newId(), { store: new MemoryStore(), flushIntervalMs: 5 });
  const space = await new SpaceManager().createSpace({ persistenceLayers: [layer] });
  const { treeId } = await createPage(space, "Plans");
  const title = (): string | undefined => listPages(space)[0]?.title;
  renamePage(space, treeId, "My Plans");
  renamePage(space, treeId, "My Plans for May");
  expect(changeTitle(space, treeId, "My Plans", "Plans")).toBe(true);
  expect(title()).toBe("Plans for May");
  expect(changeTitle(space, treeId, "Plans", "My Plans")).toBe(true);
  renamePage(space, treeId, "Mine");
  expect(changeTitle(space, treeId, "My Plans", "Plans")).toBe(false);
  expect(title()).toBe("Mine");
  removePage(space, treeId);
  expect(changeTitle(space, treeId, "Mine", "Plans")).toBe(false);
  await space.close();
});
