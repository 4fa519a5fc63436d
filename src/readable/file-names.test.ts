import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nameFiles, nameKey, safeName } from "./file-names.ts";

const page = (id: string, title: string): { id: string; title: string } => ({ id, title });

function named(...pages: { id: string; title: string }[]): Record<string, string> {
  return Object.fromEntries(nameFiles(pages, new Map(), new Set()));
}

test.each([
  ["Shopping", "Shopping"],
  ["  two \t words\n", "two words"],
  ["../../etc/passwd", "etc-passwd"],
  [String.raw`a/b\c:d*e?f"g<h>i|j`, "a-b-c-d-e-f-g-h-i-j"],
  ["", "Untitled"],
  ["...", "Untitled"],
  [".hidden", "hidden"],
  ["-rf", "rf"],
  ["~$lock", "$lock"],
  ["ends with a dot. ", "ends with a dot"],
  ["CON", "_CON"],
  ["nul.txt", "_nul.txt"],
  ["Com1", "_Com1"],
  ["Console", "Console"],
  ["a\u0000b\u202Ec\ud800d", "a b c d"],
  ["e\u0301te\u0301", "\u00e9t\u00e9"],
  ["日本語 👩‍👩‍👧", "日本語 👩‍👩‍👧"],
])("the title %j becomes the name %j", (title, name) => {
  expect(safeName(title)).toBe(name);
});

test("a long title is cut between characters", () => {
  expect(safeName("é".repeat(80))).toBe("é".repeat(50));
  expect(safeName("👍".repeat(80))).toBe("👍".repeat(25));
});

test("a name made of any title is a plain one", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 120 }), (title) => {
      const name = safeName(title);
      expect(name).not.toMatch(/[<>:"/\\|?*\p{Cc}]|^[.\s~-]|[.\s]$|^$/u);
      expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(101);
      expect(safeName(name)).toBe(name);
    }),
  );
});

test("no two pages get names that are one file on some system", () => {
  const names = named(
    page("11111111aa", "Notes"),
    page("22222222bb", "notes"),
    page("33333333cc", "NOTES?"),
    page("44444444dd", "Stra\u00dfe"),
    page("55555555ee", "STRASSE"),
    page("66666666ff", "caf\u00e9"),
    page("77777777gg", "cafe\u0301"),
    page("88888888hh", "Notes (22222222)"),
    page("22222222ii", "Notes"),
  );
  expect(new Set(Object.values(names).map(nameKey)).size).toBe(9);
  expect(names["11111111aa"]).toBe("Notes.md");
  expect(names["22222222bb"]).toBe("notes (22222222).md");
});

test("a page keeps its name while that fits its title, whatever pages come before it", () => {
  const names = (present: ReadonlyMap<string, string>): Record<string, string> =>
    Object.fromEntries(nameFiles([page("aaaaaaaa", "Notes"), page("bbbbbbbb", "Notes")], present, new Set()));
  expect(names(new Map([["bbbbbbbb", "Notes.md"]]))).toEqual({ aaaaaaaa: "Notes (aaaaaaaa).md", bbbbbbbb: "Notes.md" });
  expect(names(new Map([["bbbbbbbb", "Before.md"]]))).toEqual({ aaaaaaaa: "Notes.md", bbbbbbbb: "Notes (bbbbbbbb).md" });
});

test("a name that is taken by something else is not given", () => {
  const taken = new Set(["README.md", "notes.MD"].map(nameKey));
  expect(nameFiles([page("aaaaaaaa", "Notes")], new Map(), taken).get("aaaaaaaa")).toBe("Notes (aaaaaaaa).md");
});

test("an id that is no id is no part of a path", () => {
  const names = named(page("../x", "Notes"), page("../../y", "Notes"), page("/", "Notes"));
  expect(Object.values(names).sort()).toEqual(["Notes (page).md", "Notes (x).md", "Notes.md"]);
});
