import { expect, test } from "vitest";
import { addressOf, readAddress } from "./address.ts";

test("an address names a page, and an item in it", () => {
  expect(readAddress("")).toEqual({});
  expect(readAddress(addressOf("a page/with signs"))).toEqual({ pageId: "a page/with signs" });
  expect(readAddress(addressOf("page", "item"))).toEqual({ pageId: "page", itemId: "item" });
});

test.each(["#/%zz", "#/%", "#/page/%e4", "#%zz/%zz"])("%s names what can be read of it, or nothing", (hash) => {
  expect(readAddress(hash).itemId).toBeUndefined();
});
