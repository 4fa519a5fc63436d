import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FoldspaceErrorCode } from "../errors.ts";
import { explainProblem } from "./explain.ts";

const CODES = readFileSync(new URL("../errors.ts", import.meta.url), "utf8").match(/"FOLD_[A-Z0-9_]+"/g)!;

test.each(CODES.map((code) => JSON.parse(code) as FoldspaceErrorCode))("%s is explained in whole sentences", (code) => {
  for (const isLossless of [false, true]) {
    const { what, consequence, advice } = explainProblem({ code, reason: "", isLossless });
    for (const text of [what, consequence, advice]) expect(text).toMatch(/^[A-Z][^\n]*\.$/);
    // what is lost is said, and what repair does
    expect(consequence).toMatch(/lost|missing|skipped|kept|shows/i);
    expect(advice).toMatch(/repair|again/i);
  }
});

test("each problem that verify finds has words of its own", () => {
  const found: FoldspaceErrorCode[] = [
    "FOLD_BAD_LINE",
    "FOLD_TORN_LINE",
    "FOLD_MERGE_MARKER",
    "FOLD_LINE_TOO_LONG",
    "FOLD_TOO_DEEP",
    "FOLD_BAD_VALUE",
    "FOLD_BAD_COUNTER",
    "FOLD_BAD_ID",
    "FOLD_BAD_UTF8",
    "FOLD_CONFLICT_COPY",
    "FOLD_NOT_DOWNLOADED",
    "FOLD_FILES_MISSING",
    "FOLD_LINKED_FILE",
    "FOLD_FOREIGN_FILE",
    "FOLD_ID_COLLISION",
    "FOLD_NO_ROOT",
    "FOLD_ONLY_IN_LOST_FOUND",
    "FOLD_OLD_FORMAT",
    "FOLD_BAD_SPACE_FILE",
    "FOLD_PERMISSION",
    "FOLD_READ_ONLY",
    "FOLD_DISK_FULL",
    "FOLD_BUSY",
    "FOLD_TIMEOUT",
    "FOLD_IO",
  ];
  const words = found.map((code) => explainProblem({ code, reason: "" }).what);
  expect(new Set(words).size).toBe(found.length);
  expect(words).not.toContain(explainProblem({ code: "FOLD_CLOSED", reason: "" }).what);
});
