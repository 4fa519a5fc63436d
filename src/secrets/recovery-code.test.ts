import { expect, test } from "vitest";
import { formatRecoveryCode, newRecoveryCode, parseRecoveryCode } from "./recovery-code.ts";

test("a code has nine groups of four digits and gives its secret back, however it is typed", async () => {
  for (let round = 0; round < 200; round++) {
    const secret = crypto.getRandomValues(new Uint8Array(20));
    const code = await formatRecoveryCode(secret);
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){8}$/);
    for (const typed of [code, code.toLowerCase(), code.replaceAll("-", ""), ` ${code.replaceAll("-", " ")}\n`])
      expect(await parseRecoveryCode(typed)).toEqual(secret);
    expect(await parseRecoveryCode(code.replaceAll("0", "O").replaceAll("1", "l"))).toEqual(secret);
  }
});

test("a mistyped text is not a code", async () => {
  const code = await newRecoveryCode();
  for (let at = 0; at < code.length; at++) {
    if (code[at] === "-") continue;
    const other = code[at] === "7" ? "8" : "7";
    expect(await parseRecoveryCode(code.slice(0, at) + other + code.slice(at + 1))).toBeUndefined();
  }
  for (const text of ["", "passphrase", code.slice(1), `${code}0`, code.replace(/^./, "U")])
    expect(await parseRecoveryCode(text)).toBeUndefined();
});

test("two codes differ", async () => {
  expect(await newRecoveryCode()).not.toBe(await newRecoveryCode());
});
