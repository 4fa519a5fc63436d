import { expect, test } from "vitest";
import { assertAcceptable, COSTLIEST_ARGON2, DEFAULT_ARGON2, deriveKey, WEAKEST_ARGON2 } from "./argon2.ts";

test.each([
  ["the default", DEFAULT_ARGON2],
  ["the weakest", WEAKEST_ARGON2],
  ["all memory that is accepted", { ...COSTLIEST_ARGON2, iterations: 4 }],
  ["all iterations that are accepted", { ...COSTLIEST_ARGON2, memoryKiB: 64 * 1024 }],
])("%s is accepted", (_name, parameters) => {
  expect(() => assertAcceptable(parameters)).not.toThrow();
});

test.each([
  ["too little memory", { memoryKiB: 19 * 1024 - 1 }],
  ["one iteration", { iterations: 1 }],
  ["no queue", { parallelism: 0 }],
  ["too much memory", { memoryKiB: 256 * 1024 + 1 }],
  ["too many iterations", { iterations: 11 }],
  ["too many queues", { parallelism: 5 }],
  ["too much of both", { memoryKiB: 256 * 1024, iterations: 5 }],
  ["half an iteration", { iterations: 2.5 }],
  ["no number", { memoryKiB: Number.NaN }],
])("%s is refused before anything is computed", async (_name, change) => {
  const refused: unknown = expect.objectContaining({ code: "FOLD_SECRETS_PARAMETERS" });
  const parameters = { ...WEAKEST_ARGON2, ...change };
  expect(() => assertAcceptable(parameters)).toThrow(refused);
  await expect(deriveKey("passphrase", new Uint8Array(16), parameters)).rejects.toEqual(refused);
});

test("a passphrase gives the same key however its letters are composed", async () => {
  const [composed, decomposed] = ["pässwörd \u00c5".normalize("NFC"), "pässwörd \u00c5".normalize("NFD")] as const;
  expect(composed).not.toBe(decomposed);
  const salt = new Uint8Array(16);
  expect(await deriveKey(composed, salt, WEAKEST_ARGON2)).toEqual(await deriveKey(decomposed, salt, WEAKEST_ARGON2));
});
