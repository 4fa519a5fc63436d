import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { assertBuilt, MAIN } from "../built-command.ts";
import { copyOfFixture, jsonLines, listing, LOG_FILE, SPACE_ID, spaceWith } from "./cli-harness.ts";

/** How long the writing process may take from its edit to its end; the change must show 100 ms after the edit is saved. */
const DEADLINE_MS = 10_000;

beforeAll(assertBuilt);

function foldspace(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

class RunningCommand {
  readonly #process: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";

  constructor(...args: string[]) {
    this.#process = spawn(process.execPath, [MAIN, ...args]);
    this.#process.stdout.on("data", (bytes: Buffer) => (this.stdout += bytes.toString()));
    this.#process.stderr.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  async until(isTrue: (stdout: string) => boolean): Promise<void> {
    const end = Date.now() + DEADLINE_MS;
    while (!isTrue(this.stdout)) {
      if (Date.now() > end) throw new Error(`waited in vain; stdout: ${this.stdout}, stderr: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      this.#process.once("exit", (code, by) => resolve(code ?? by)),
    );
    this.#process.kill(signal);
    return await ended;
  }

  closeStdout(): void {
    this.#process.stdout.destroy();
  }

  get exited(): Promise<number | null> {
    return new Promise((resolve) => this.#process.once("close", resolve));
  }
}

test("the built command runs, and its exit code says how it went", () => {
  expect(foldspace("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(foldspace("info", join(spaceWith(), "nowhere"))).toMatchObject({ code: 1, stdout: "" });
  expect(foldspace("nonsense")).toMatchObject({ code: 2, stdout: "" });
});

test("relative paths start from where the command is run", () => {
  const path = spaceWith();
  const { stdout } = spawnSync(process.execPath, [MAIN, "info", "."], { cwd: path, encoding: "utf8" });
  expect(stdout).toContain(SPACE_ID);
});

test("a change made in another process shows at once, and either signal ends the watching with 0", async () => {
  const path = spaceWith();
  const before = listing(path);
  const json = new RunningCommand("watch", path, "--json");
  const words = new RunningCommand("watch", path);
  const log = new RunningCommand("log", path, "--follow");
  await json.until((text) => text.startsWith('{"event":"ready"}\n'));
  await words.until(() => words.stderr.includes("watching "));
  await log.until((text) => text.includes('name = "Space"'));
  expect(listing(path)).toEqual(before);

  const ids = Array.from({ length: 5 }, (_, number) => foldspace("add", path, "--name", `item ${number}`).stdout.trim());
  await json.until((text) => ids.every((id, number) => text.includes(id) && text.includes(`item ${number}`)));
  await words.until((text) => text.includes('"item 4"'));
  await log.until((text) => text.includes('"item 4"'));
  const [, ...changes] = jsonLines(json.stdout);
  expect(changes).toHaveLength(15);
  for (const change of changes) expect(change).toMatchObject({ treeId: SPACE_ID, time: expect.stringMatching(/^\d{4}-.*Z$/) });

  expect(await json.end("SIGTERM")).toBe(0);
  expect(await words.end("SIGINT")).toBe(0);
  expect(await log.end("SIGINT")).toBe(0);
});

test("a reader that has had enough ends the command quietly", async () => {
  const path = spaceWith({
    [LOG_FILE]: Array.from({ length: 50_000 }, (_, index) => `["p",${index + 1},"${SPACE_ID}","k","${index}"]`).join("\n"),
  });
  const log = new RunningCommand("log", path, "--json");
  const exited = log.exited;
  await log.until((text) => text.length > 0);
  log.closeStdout();
  expect(await exited).toBe(0);
  expect(log.stderr).toBe("");
});

test("an export through a pipe is complete", () => {
  const { code, stdout } = foldspace("export", copyOfFixture("old-sync"), "--format", "json");
  expect(code).toBe(0);
  expect(() => JSON.parse(stdout) as unknown).not.toThrow();
});

test("a version of Node that is too old is told so in one sentence, and the needed one is that of package.json", () => {
  const { engines } = JSON.parse(readFileSync(join(dirname(MAIN), "../../package.json"), "utf8")) as {
    engines: { node: string };
  };
  const needed = engines.node.replace(">=", "");
  const [major, minor] = needed.split(".").map(Number);
  const runWith = (version: string): { status: number | null; stdout: string; stderr: string } => {
    const pretend = `data:text/javascript,Object.defineProperty(process.versions,"node",{value:"${version}"})`;
    return spawnSync(process.execPath, ["--import", pretend, MAIN, "--version"], { encoding: "utf8" });
  };
  for (const version of ["18.20.4", `${major}.${minor! - 1}.9`]) {
    const { status, stdout, stderr } = runWith(version);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(new RegExp(`^foldspace needs Node ${needed} or newer, and this is Node ${version} \\(.*\\)\n$`));
  }
  for (const version of [`${needed}.0`, `${major! + 1}.0.0`]) expect(runWith(version)).toMatchObject({ status: 0, stderr: "" });
});
