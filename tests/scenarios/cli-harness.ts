import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { run } from "../../src/cli/program.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";

export const FIXTURES: string = fileURLToPath(new URL("../fixtures/spaces", import.meta.url));
export const SPACE_ID = "0123456789abcdef0123456789abcdef";
export const PEER_ID = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/** Log file of the space tree, by one peer on one day. */
export const LOG_FILE: string = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22/${PEER_ID}.jsonl`;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly variables?: Record<string, string>;
  readonly fs?: FileSystem;
  readonly cwd?: string;
  readonly interrupted?: Promise<void>;
  /** What is piped in. Without it and without answers, stdin is empty. */
  readonly stdin?: string | Uint8Array;
  /** What is typed where something is asked for: stdin is a terminal then. */
  readonly answers?: string[];
  /** Called with everything printed so far. */
  readonly onStdout?: (soFar: string) => void;
}

/** Runs the command inside this process. */
export async function foldspace(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const stream = (
    name: "stdout" | "stderr",
  ): { isTTY: boolean; columns: number | undefined; write(text: string): Promise<void> } => ({
    isTTY: options.isTTY ?? false,
    columns: options.columns,
    write: async (text) => {
      written[name] += text;
      if (name === "stdout") options.onStdout?.(written.stdout);
    },
  });
  const { answers, stdin = "" } = options;
  const code = await run(args, {
    stdin: {
      isTTY: answers !== undefined,
      readAll: async () => (typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
      readHidden: async (question) => {
        written.stderr += question;
        const answer = answers?.shift();
        if (answer === undefined) throw new Error(`nobody answers: ${question}`);
        return answer;
      },
    },
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    variables: options.variables ?? {},
    cwd: options.cwd ?? tmpdir(),
    fs: options.fs ?? new NodeFileSystem({ io: "sync" }),
    interrupted: () => options.interrupted ?? new Promise(() => undefined),
  });
  return { code, ...written };
}

/** A folder of its own, gone after the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "foldspace-cli-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A copy of one of the spaces in the fixtures. */
export function copyOfFixture(name: string): string {
  const path = join(temporaryFolder(), "space");
  cpSync(join(FIXTURES, name, "space"), path, { recursive: true });
  return path;
}

/** A space with these files, and a root where there is no other log of the space tree. */
export function spaceWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = temporaryFolder();
  const root = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n["p",3,"${SPACE_ID}","name","Space"]\n`;
  const all = { "space-v1/space.json": JSON.stringify({ id: SPACE_ID }), [LOG_FILE]: root, ...files };
  for (const [file, content] of Object.entries(all)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
  return path;
}

/** Every file and folder with its size and time: what changes if anything is written. */
export function listing(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  return ["", ...entries].map((entry) => {
    const stat = statSync(join(path, entry));
    return `${entry} ${stat.isDirectory() ? "folder" : stat.size} ${stat.mtimeMs}`;
  });
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
