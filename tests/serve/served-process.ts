import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { tokenOf } from "./serving.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");

/** @throws Error where the command is not built, or not from what stands in `src` now */
export function assertBuilt(): void {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /(?<!\.test)\.ts$/.test(file),
  );
  const newest = Math.max(...sources.map((file) => statSync(join(ROOT, "src", file)).mtimeMs));
  if (!existsSync(MAIN) || statSync(MAIN).mtimeMs < newest)
    throw new Error("dist is missing or older than src: run `npm run build` first");
}

/** A folder with an app beside it, gone after the test. */
export function folderAndApp(): { folder: string; app: string } {
  const around = mkdtempSync(join(tmpdir(), "foldspace-serve-"));
  onTestFinished(() => rmSync(around, { recursive: true, force: true }));
  const [folder, app] = [join(around, "folder"), join(around, "app")];
  for (const path of [folder, app]) mkdirSync(path);
  writeFileSync(join(app, "index.html"), "<!doctype html><title>app</title>");
  return { folder, app };
}

/** `foldspace serve`, as it is built, in a process of its own. */
export class ServedProcess {
  readonly url: string;
  readonly port: number;
  readonly spaceId: string;
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams, line: string) {
    const { url, port, spaceId } = JSON.parse(line) as { url: string; port: number; spaceId: string };
    this.#process = child;
    this.url = url;
    this.port = port;
    this.spaceId = spaceId;
  }

  static async start(folder: string, args: readonly string[], variables: Record<string, string> = {}): Promise<ServedProcess> {
    const child = spawn(process.execPath, [MAIN, "serve", folder, "--json", ...args], { env: { ...process.env, ...variables } });
    onTestFinished(() => void child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (bytes: Buffer) => resolve(bytes.toString()));
      child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${stderr}`)));
    });
    return new ServedProcess(child, line);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get token(): string {
    return tokenOf(this.url);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** @returns exit code, or the signal that ended it */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      this.#process.once("exit", (code, by) => resolve(code ?? by)),
    );
    this.#process.kill(signal);
    return await ended;
  }
}
