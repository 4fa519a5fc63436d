import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { isBytes } from "./bytes.ts";
import { errorCode, errorMessage, errorName, FoldspaceError, isFoldspaceError, systemCode, toFoldspaceError } from "./errors.ts";

/** An error as another copy of the package would make it. */
class FoldspaceErrorOfAnotherCopy extends Error {
  override readonly name = "FoldspaceError";
  readonly code: string;
  readonly data = {};

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const foreign = new FoldspaceErrorOfAnotherCopy("FOLD_NOT_FOUND", "nothing there");
const otherRealm: unknown = runInContext(
  'Object.assign(new Error("elsewhere"), { name: "FoldspaceError", code: "FOLD_DISK_FULL", data: {} })',
  createContext({}),
);

test("an error of another copy of the package, or of another realm, has its code and is not changed", () => {
  for (const [error, code] of [
    [new FoldspaceError("FOLD_BUSY", "busy"), "FOLD_BUSY"],
    [foreign, "FOLD_NOT_FOUND"],
    [otherRealm, "FOLD_DISK_FULL"],
  ] as const) {
    expect(errorCode(error)).toBe(code);
    expect(toFoldspaceError(error)).toBe(error);
  }
  expect(errorMessage(otherRealm)).toBe("elsewhere");
});

test.each([
  ["nothing", undefined],
  ["plain data", { name: "FoldspaceError", code: "FOLD_IO", message: "x" }],
  ["an error of the system", Object.assign(new Error("x"), { code: "ENOENT" })],
  ["an error with a code of ours and another name", Object.assign(new Error("x"), { code: "FOLD_IO" })],
  ["one whose code is no code of ours", Object.assign(new Error("x"), { name: "FoldspaceError", code: "EACCES" })],
  ["one whose code is no text", Object.assign(new Error("x"), { name: "FoldspaceError", code: 7 })],
])("%s is not a FoldspaceError", (_, error) => {
  expect(isFoldspaceError(error)).toBe(false);
  expect(errorCode(error)).toBeUndefined();
  expect(toFoldspaceError(error).code).toBe("FOLD_IO");
  expect(toFoldspaceError(error).cause).toBe(error);
});

test("errors and bytes of another realm are recognised by what they contain", () => {
  const made = runInContext(
    `({
      system: Object.assign(new TypeError("gone"), { code: "ENOENT" }),
      numbered: Object.assign(new Error("x"), { code: 7 }),
      bytes: new Uint8Array([1]),
      floats: new Float32Array(1),
    })`,
    createContext({}),
  ) as Record<"system" | "numbered" | "bytes" | "floats", unknown>;
  expect(systemCode(made.system)).toBe("ENOENT");
  expect(errorName(made.system)).toBe("TypeError");
  expect(errorMessage(made.system)).toBe("gone");
  expect(systemCode(made.numbered)).toBeUndefined();
  expect(errorName(new DOMException("no room", "QuotaExceededError"))).toBe("QuotaExceededError");
  expect(errorName({ name: "QuotaExceededError" })).toBeUndefined();
  expect(isBytes(made.bytes)).toBe(true);
  expect(isBytes(made.floats)).toBe(false);
  expect(isBytes("bytes")).toBe(false);
});
