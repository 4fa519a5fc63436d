import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAssignment } from "../../src/cli/assignments.ts";
import { localTime } from "../../src/cli/output.ts";
import { foldspace, spaceWith, temporaryFolder, type CommandOptions } from "./cli-harness.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string, mark: boolean): Uint8Array => Buffer.from((mark ? "\uFEFF" : "") + text, "utf16le");
const swapped = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes).swap16();

describe("a value", () => {
  test.each(["12e4567", "1234567890123456789", "1.10", "1e3", "-0", "007", "0x1f", "1_000", " 12", "NaN", "Infinity", "[1.10]"])(
    "%j is text, because as JSON it would be written differently",
    (text) => {
      expect(parseAssignment(`key=${text}`)).toEqual(["key", text, text]);
    },
  );

  test.each<[string, unknown]>([
    ["12", 12],
    ["-0.5", -0.5],
    ["1e+21", 1e21],
    ["true", true],
    ["null", null],
    ['"12"', "12"],
    ['"\\u00e9 \\/ a  b"', "é / a  b"],
    ['{"a": [1, 2],\n "b": "1.10  x"}', { a: [1, 2], b: "1.10  x" }],
    ["[ ]", []],
  ])("%j is JSON", (text, value) => {
    expect(parseAssignment(`key=${text}`)).toEqual(["key", value, text]);
  });

  test.each(['{"a":1,"a":2}', '{"a":12345678901234567890}', "{a:1}"])("%j, of which JSON would lose a part, is text", (text) => {
    expect(parseAssignment(`key=${text}`)).toEqual(["key", text, text]);
  });
});

describe("an encoding", () => {
  async function run(options: CommandOptions, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await foldspace(["secrets", ...args], options);
    return code === 0 ? stdout.trimEnd() : stderr;
  }

  function fileWith(bytes: Uint8Array): string {
    const path = join(temporaryFolder(), "text");
    writeFileSync(path, bytes);
    return path;
  }

  test("a byte order mark of UTF-8 is no part of a secret, piped or from a file", async () => {
    const path = spaceWith();
    await run({ stdin: utf8("\uFEFFkéy\r\n") }, "set", path, "piped");
    await run({}, "set", path, "filed", "--value-file", fileWith(utf8("\uFEFFkéy\r\n")));
    for (const name of ["piped", "filed"]) expect(await run({}, "get", path, name)).toBe("kéy");
  });

  test.each([
    ["UTF-16 with a mark", utf16("kéy\r\n", true), "UTF-16"],
    ["UTF-16 of the other order", swapped(utf16("kéy\r\n", true)), "UTF-16"],
    ["UTF-16 without a mark", utf16("key\r\n", false), "UTF-16"],
    ["Latin-1", Uint8Array.of(0x6b, 0xe9, 0x79), "not UTF-8"],
  ])("%s is refused as a secret and as a passphrase, and nothing is changed", async (_, bytes, reason) => {
    const path = spaceWith();
    const refused = new RegExp(`${reason}.*FOLD_BAD_UTF8`);
    expect(await run({ stdin: bytes }, "set", path, "piped")).toMatch(refused);
    expect(await run({}, "set", path, "filed", "--value-file", fileWith(bytes))).toMatch(refused);
    expect(await run({}, "protect", path, "--passphrase-file", fileWith(bytes))).toMatch(refused);
    expect(await run({}, "list", path)).toBe("");
  });
});

test("a secret is found however the letters of its name are composed, and the exact name comes first", async () => {
  const path = spaceWith();
  const [composed, decomposed] = ["cl\u00e9", "cle\u0301"];
  const run = async (stdin: string, ...args: string[]): Promise<string> =>
    (await foldspace(["secrets", ...args], { stdin })).stdout;
  await run("one", "set", path, decomposed);
  await run("two", "set", path, composed);
  expect(await run("", "list", path)).toBe(`${decomposed}\n`);
  expect(await run("", "get", path, composed)).toBe("two\n");
  await run("", "rm", path, composed);
  expect(await run("", "list", path)).toBe("");
});

test("the times of watch are those of the clock on the wall, and days and traces are marked as UTC", async () => {
  const path = spaceWith();
  expect((await foldspace(["info", path])).stdout).toMatch(/saved {5}\S+ \(UTC\)\n/);
  const { stderr } = await foldspace(["add", path, "--name", "x"], { variables: { FOLDSPACE_DEBUG: "1" } });
  expect(stderr.split("\n")[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3}Z {2}/);
  const before = process.env["TZ"];
  // far from UTC, and no whole hour
  process.env["TZ"] = "Asia/Kathmandu";
  try {
    expect(localTime(new Date("2026-01-02T23:04:05.006Z"))).toBe("04:49:05.006");
    let interrupt = (): void => undefined;
    const interrupted = new Promise<void>((resolve) => (interrupt = resolve));
    const seen = { text: "" };
    const watching = foldspace(["watch", path], { interrupted, onStdout: (soFar) => (seen.text = soFar) });
    // what was added before the watch began is not shown
    for (const end = Date.now() + 20_000; seen.text === "" && Date.now() < end;) await foldspace(["add", path, "--name", "y"]);
    interrupt();
    await watching;
    const now = new Date();
    const minutes = [now, new Date(now.getTime() - 60_000)].map((date) => localTime(date).slice(0, 5));
    expect(minutes).toContain(seen.text.slice(0, 5));
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});
