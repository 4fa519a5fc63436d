import { explainProblem, type FoldspaceErrorCode, type Problem } from "foldspace";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { describeError, describeProblem, describeStorageError } from "./problem-words.ts";

const source = readFileSync(new URL("../../../../src/errors.ts", import.meta.url), "utf8");
const CODES = source.match(/(?<=")FOLD_[A-Z0-9_]+(?=")/g)! as FoldspaceErrorCode[];

const found = (code: FoldspaceErrorCode, file: string): Problem => ({ code, reason: "", file });

test("every problem that the library explains has words here, too", () => {
  const other = explainProblem(found("FOLD_CLOSED", ""));
  const explained = CODES.filter((code) => explainProblem(found(code, "")) !== other);
  expect(explained.length).toBeGreaterThan(20);
  const nothing = describeError(undefined).title;
  expect(explained.filter((code) => describeProblem(found(code, "")).title === nothing)).toEqual([]);
});

test("of storage that fails, nothing is said to be kept in it", () => {
  for (const code of CODES) expect(describeStorageError(code).advice).not.toMatch(/is kept in this/);
  expect(describeStorageError("FOLD_DISK_FULL").advice).toContain("Leave this page open");
});

describe("of secrets", () => {
  test.each([
    "space-v1/secrets (Anna's conflicted copy 2026-11-22)",
    "space-v1/Copy of secrets",
    "space-v1/secrets-v2/0123456789abcdef0123456789abcdef.sync-conflict-20261122-101112-ABCDEFG.json",
  ])("a copy of them is recognised: %s", (file) => {
    expect(describeProblem(found("FOLD_CONFLICT_COPY", file)).title).toBe("A sync service made a copy of the secrets");
  });

  test("a copy of a log is not recognised as one", () => {
    const file = "space-v1/ops/c1/2b2ea053/2026/11/22/secrets (conflicted copy).jsonl";
    expect(describeProblem(found("FOLD_CONFLICT_COPY", file)).title).toBe("A sync service made a copy");
  });

  test("a problem in the folder has other words than an error of a call", () => {
    for (const code of ["FOLD_SECRETS_LOCKED", "FOLD_SECRETS_TOO_LARGE"] as const)
      expect(describeProblem(found(code, "space-v1/secrets")).title).not.toBe(describeError(code).title);
  });
});
