import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openPlainFile } from "../../src/secrets/plain-file.ts";
import { SPACE_ID, spaceWith } from "./cli-harness.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const ROUNDS = 20;

/** Sets a secret in a process of its own. */
async function setInProcess(path: string, name: string): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const process_ = spawn(process.execPath, [MAIN, "secrets", "set", path, name], { stdio: ["pipe", "ignore", "pipe"] });
  let stderr = "";
  process_.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  process_.stdin.end(`value of ${name}\n`);
  const code = await new Promise<number | null>((resolve) => process_.once("close", resolve));
  return { code, stderr };
}

test(
  `two processes that set secrets of one folder in the same moment lose none in ${ROUNDS} rounds`,
  { timeout: 120_000 },
  async () => {
    const path = spaceWith();
    const expected: Record<string, string> = {};
    for (let round = 0; round < ROUNDS; round++) {
      const names = [`one ${round}`, `two ${round}`];
      const results = await Promise.all(names.map(async (name) => await setInProcess(path, name)));
      expect(results).toEqual(names.map(() => ({ code: 0, stderr: "" })));
      for (const name of names) expected[name] = `value of ${name}`;
      const stored = await openPlainFile(SPACE_ID, readFileSync(join(path, "space-v1/secrets"), "utf8"));
      expect(Object.fromEntries(stored)).toEqual(expected);
    }
    expect(readdirSync(join(path, "space-v1")).sort()).toEqual(["ops", "secrets", "space.json"]);
  },
);
