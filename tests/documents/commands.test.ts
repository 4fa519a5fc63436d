import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { assertBuilt, MAIN } from "../built-command.ts";
import { blocksOf } from "./blocks.ts";

beforeAll(assertBuilt);

/** Lines that are not run here, each with the reason. */
const NOT_RUN: readonly (readonly [line: RegExp, reason: string])[] = [
  [/^npm (?:start|test|run (?:build|test:))/, "scripts of the repository, which the checks run themselves"],
  [
    /^(?:node scripts\/setup\.mjs|mkdir|cd|npm pkg set|npm install|npm run dev|node create-foldspace)/,
    "tests/examples does the same, without a registry",
  ],
  [/^(?:apt-get|nats-server)/, "tests/nats runs a server"],
];
/** Follow something until they are interrupted. */
const ENDLESS = /^npx foldspace (?:watch|serve) /;

/** What a line of a block runs, without its comment. */
function commandsIn(code: string): string[] {
  return code
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "");
}

const runnable = blocksOf("sh").filter(({ code }) => code.includes("npx foldspace "));

test.each(runnable)("$place: its commands run, one after the other", { timeout: 120_000 }, async ({ code }) => {
  const home = mkdtempSync(join(tmpdir(), "foldspace-commands-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, "key.txt"), "sk-1234");
  const script = (line: string): string =>
    `foldspace() { "${process.execPath}" "${MAIN}" "$@"; }; npx() { "$@"; }; ${line.replace(" --open", " --port 0")}`;
  const settings = {
    cwd: home,
    env: { ...process.env, HOME: home, XDG_STATE_HOME: join(home, "state"), FOLDSPACE_PASSPHRASE: "correct horse battery" },
  };
  const commands = commandsIn(code);
  // guides that begin with a space which exists
  if (commands[0]?.startsWith("npx foldspace secrets")) commands.unshift("npx foldspace init ~/Notes");

  const endless: { readonly line: string; readonly process: ChildProcess; printed: string }[] = [];
  for (const line of commands) {
    if (ENDLESS.test(line)) {
      const child = spawn("bash", ["-c", script(line).replace('{ "', '{ exec "')], settings);
      onTestFinished(() => void child.kill("SIGKILL"));
      const entry = { line, process: child, printed: "" };
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (entry.printed += String(data)));
      endless.push(entry);
      continue;
    }
    const { status, stderr } = spawnSync("bash", ["-c", script(line)], { ...settings, encoding: "utf8" });
    expect(status, `${line}\n${stderr}`).toBe(0);
  }
  for (const entry of endless) {
    const { line, process: child } = entry;
    const printed = (): string => {
      // `watch` prints only what comes after it has begun
      if (entry.printed === "") spawnSync("bash", ["-c", script("npx foldspace add ~/Notes --name More")], settings);
      return entry.printed;
    };
    await expect.poll(printed, { message: line, timeout: 20_000, interval: 200 }).not.toBe("");
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGINT");
    expect(await ended, line).toBe(0);
  }
});

test("each other command has a reason why it is not run here, and each reason a command", () => {
  const lines = blocksOf("sh").flatMap(({ code }) => commandsIn(code));
  const others = lines.filter((line) => !line.startsWith("npx foldspace "));
  expect(others.filter((line) => !NOT_RUN.some(([pattern]) => pattern.test(line)))).toEqual([]);
  for (const [pattern, reason] of NOT_RUN)
    expect(
      others.some((line) => pattern.test(line)),
      reason,
    ).toBe(true);
});
