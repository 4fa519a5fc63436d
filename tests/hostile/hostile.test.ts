import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { assertBuilt } from "../built-command.ts";
import { runBounded, type BoundedRun } from "./bounded-command.ts";
import { DEFAULT_HEAP_MB, EVERY_DAY, FULL, HOSTILE_FOLDERS, INSIDE_MARK, OUTSIDE_MARK } from "./hostile-folders.ts";

/** As large as things may come: see `npm run test:hostile`. */
const isFull = process.env["FOLDSPACE_HOSTILE"] === "full";
const SCALE = isFull ? FULL : EVERY_DAY;
/** So long would only a command take that never ends. */
const SECONDS = 900;
/** What the command takes beside its heap. */
const BESIDE_HEAP_MB = 160;
const COMMANDS: readonly (readonly string[])[] = [
  ["info", "DIR"],
  ["verify", "DIR"],
  ["export", "DIR", "--format", "json"],
  ["watch", "DIR"],
  ["repair", "DIR", "--dry-run"],
];

beforeAll(assertBuilt);

let scratch: string | undefined;
afterEach(() => {
  // not by Node: it cannot remove folders whose path is too long
  if (scratch !== undefined) expect(spawnSync("rm", ["-rf", scratch]).status).toBe(0);
});

describe.skipIf(process.platform === "win32")("commands come to an end, within bounds and within the space, on", () => {
  test.each(HOSTILE_FOLDERS)(
    "$name",
    { timeout: 60 * 60_000 },
    async ({ name, build, heapMb = () => DEFAULT_HEAP_MB, marks = [], isRefused }) => {
      scratch = mkdtempSync(join(existsSync("/dev/shm") && name.includes("tiny") ? "/dev/shm" : tmpdir(), "foldspace-hostile-"));
      const [path, outside] = [join(scratch, "space"), join(scratch, "outside")];
      mkdirSync(path);
      mkdirSync(outside);
      const end = await build(path, outside, SCALE);
      const bounds = { heapMb: heapMb(SCALE), seconds: SECONDS };
      const report: string[] = [];
      try {
        for (const [command = "", ...args] of COMMANDS) {
          const until = command === "watch" && !isRefused ? "watching " : undefined;
          const result = await runBounded([command, ...args.map((arg) => (arg === "DIR" ? path : arg))], bounds, until);
          report.push(`${command} ${result.seconds.toFixed(1)} s ${result.peakMb?.toFixed(0)} MB`);
          check(result, command, isRefused ?? false);
          if (command === "export" && !isRefused)
            for (const mark of [INSIDE_MARK, ...marks]) expect(result.stdout).toContain(mark);
          expect(result.peakMb).toBeLessThan(bounds.heapMb + BESIDE_HEAP_MB);
        }
      } finally {
        process.stdout.write(`${name}: ${report.join(", ")}\n`);
        end?.();
      }
    },
  );
});

function check(result: BoundedRun, command: string, isRefused: boolean): void {
  const { code, signal, stdout, stderr } = result;
  expect({ command, signal, stderr: stderr.slice(-2_000) }).toMatchObject({ signal: null });
  // verify and repair tell of problems that way
  const expected = isRefused ? [1] : ["verify", "repair"].includes(command) ? [0, 1] : [0];
  expect(expected, `${command}: ${stderr}`).toContain(code);
  // only our own errors: all others are printed with their stack
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(stdout + stderr).not.toContain(OUTSIDE_MARK);
  // nothing that a terminal would obey
  expect(stdout + stderr).not.toContain("\u001b[31m");
}
