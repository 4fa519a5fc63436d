import { describe, expect, onTestFinished, test } from "vitest";
import { isHeldByOthers, isMissing, tauriFileSystemError } from "./errors.ts";

const UNIX_PATH = "/home/ann/space/file";
const WINDOWS_PATH = "C:\\Users\\ann\\space/file";

function inTauri(): void {
  const page = globalThis as Record<string, unknown>;
  page["__TAURI_INTERNALS__"] = {};
  onTestFinished(() => {
    delete page["__TAURI_INTERNALS__"];
  });
}

/** In the words of the crate; the system's text is in the user's language. */
const systemError = (number: number, path = UNIX_PATH): string =>
  `failed to open file at path: ${path} with error: Vorgang gescheitert (os error ${number})`;

describe("the number of a system error determines its code", () => {
  test.each([
    [2, "FOLD_IO"],
    [5, "FOLD_IO"],
    [1, "FOLD_PERMISSION"],
    [13, "FOLD_PERMISSION"],
    [16, "FOLD_BUSY"],
    [20, "FOLD_NOT_A_FOLDER"],
    [21, "FOLD_IO"],
    [24, "FOLD_BUSY"],
    [26, "FOLD_BUSY"],
    [28, "FOLD_DISK_FULL"],
    [30, "FOLD_READ_ONLY"],
    [122, "FOLD_DISK_FULL"],
  ])("%i on Linux and macOS: %s", (number, code) => {
    inTauri();
    const cause = systemError(number);
    expect(tauriFileSystemError("read", UNIX_PATH, cause)).toMatchObject({ code, data: { path: UNIX_PATH }, cause });
  });

  test.each([
    [2, "FOLD_IO"],
    [3, "FOLD_IO"],
    [5, "FOLD_PERMISSION"],
    [13, "FOLD_IO"],
    [19, "FOLD_READ_ONLY"],
    [32, "FOLD_BUSY"],
    [33, "FOLD_BUSY"],
    [112, "FOLD_DISK_FULL"],
    [267, "FOLD_NOT_A_FOLDER"],
  ])("%i on Windows: %s", (number, code) => {
    inTauri();
    for (const path of [WINDOWS_PATH, "\\\\server\\share\\file", "d:/space"]) {
      expect(tauriFileSystemError("read", path, systemError(number, path))).toMatchObject({ code, data: { path } });
    }
  });
});

test("absence is recognised by its number, whatever a path looks like", () => {
  expect(isMissing(systemError(2))).toBe(true);
  expect(isMissing(systemError(3, WINDOWS_PATH))).toBe(true);
  expect(isMissing(systemError(13, "/home/ann/x (os error 2)"))).toBe(false);
  expect(isMissing('No such file or directory (os error 2) about ["/home/ann/x (os error 13)"]')).toBe(true);
  expect(isMissing("forbidden path: /home/ann/(os error 2)/x")).toBe(false);
});

test("on Windows, retries distinguish a file that another program holds from one that is denied for good", () => {
  for (const number of [5, 32, 33]) {
    expect(isHeldByOthers(WINDOWS_PATH, systemError(number))).toBe(true);
    expect(isHeldByOthers(UNIX_PATH, systemError(number))).toBe(false);
  }
});

describe("a refusal says what the application lacks", () => {
  test.each([
    ["a path out of scope", `forbidden path: ${UNIX_PATH}`, "requireLiteralLeadingDot"],
    [
      "a path out of scope, in a debug build",
      `forbidden path: ${UNIX_PATH}, maybe it is not allowed on the scope for \`allow-open\` permission in your capability file`,
      "fs:scope",
    ],
    ["a command", "Command plugin:fs|read_dir not allowed by ACL", "plugin:fs|read_dir"],
    [
      "a command, in a debug build",
      "fs.read_dir not allowed. Permissions associated with this command: fs:read-all",
      "fs:read-all",
    ],
  ])("%s", (_, cause, explanation) => {
    inTauri();
    const error = tauriFileSystemError("read", UNIX_PATH, cause);
    expect(error.code).toBe("FOLD_PERMISSION");
    expect(error.message).toContain(explanation);
  });

  test("watching", () => {
    inTauri();
    expect(tauriFileSystemError("watch", UNIX_PATH, "Command watch not found").message).toContain("feature `watch`");
  });
});

test("an error with unknown words keeps them", () => {
  inTauri();
  expect(tauriFileSystemError("read", UNIX_PATH, "bang")).toMatchObject({
    code: "FOLD_IO",
    message: `Cannot read ${UNIX_PATH}: bang`,
  });
});

test("outside of Tauri nothing is available", () => {
  const error = tauriFileSystemError("read", UNIX_PATH, new TypeError("Cannot read properties of undefined"));
  expect(error.code).toBe("FOLD_UNAVAILABLE");
});
