import { MAX_LISTED_OF_FILE, MAX_LISTED } from "./limits.ts";
import { expect, test } from "vitest";
import type { Problem } from "./errors.ts";
import { ProblemLedger } from "./problem-ledger.ts";

function problems(file: string, count: number): Problem[] {
  return Array.from({ length: count }, (_, index) => ({ code: "FOLD_BAD_LINE", reason: "bad", file, line: index + 1 }));
}

test("all problems are counted, and the first of each file are listed, with a note about the rest", () => {
  const ledger = new ProblemLedger();
  ledger.set("a", problems("a", 3));
  ledger.set("b", problems("b", 50), 2_000_000);
  expect(ledger.count).toBe(2_000_003);
  expect(ledger.sample.map(({ file, line }) => `${file}${line}`)).toEqual([
    ...["a1", "a2", "a3"],
    ...Array.from({ length: MAX_LISTED_OF_FILE }, (_, index) => `b${index + 1}`),
  ]);
  expect(ledger.sample.at(-1)!.reason).toBe("bad; 1,999,980 more problems of this file are not listed");
});

test("a bounded number of problems is listed, however many files have some, and one more counts the rest", () => {
  const ledger = new ProblemLedger();
  for (let file = 0; file < 5_000; file++) ledger.set(`f${file}`, problems(`f${file}`, 30), 1_001);
  expect(ledger.count).toBe(5_000 * 1_001);
  expect(ledger.sample).toHaveLength(MAX_LISTED + 1);
  expect(ledger.sample.at(-1)!.reason).toContain(`${(4_950 * 1_001).toLocaleString("en")} more problems, of other files`);
});

test("an update without changes makes no new list, and solved problems make room", () => {
  const ledger = new ProblemLedger();
  for (let file = 0; file < 60; file++) ledger.set(`f${file}`, problems(`f${file}`, 20));
  const { sample } = ledger;
  ledger.set("f3", problems("f3", 20));
  ledger.delete("none");
  expect(ledger.sample).toBe(sample);
  for (let file = 0; file < 60; file++) ledger.delete(`f${file}`);
  expect([ledger.count, ledger.sample, ledger.hasRoomFor("f0")]).toEqual([0, [], true]);
});

test("problems that are added to a subject count with its former ones", () => {
  const ledger = new ProblemLedger();
  ledger.add("a", problems("a", 2));
  ledger.add("a", problems("a", MAX_LISTED_OF_FILE));
  expect(ledger.count).toBe(2 + MAX_LISTED_OF_FILE);
  expect(ledger.sample).toHaveLength(MAX_LISTED_OF_FILE);
  expect(ledger.sample.at(-1)!.reason).toBe("bad; 2 more problems of this file are not listed");
});
