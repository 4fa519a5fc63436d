import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Locator } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { foldspace, temporaryFolder } from "../scenarios/cli-harness.ts";
import { ServedProcess } from "../serve/served-process.ts";
import { newId } from "../../src/tree/index.ts";

export interface ServeHow {
  /** The users of the machine, set at its start. Default: only this user. */
  readonly machine?: "own" | "shared" | "unknown";
  /** Folder of another build of the app. */
  readonly app?: string;
  /** Default: any free port. */
  readonly port?: number;
  /** Default: a new one. */
  readonly token?: string;
  /** Whether the server makes the space with a first page. Default: the space exists, and is empty. */
  readonly isFirstRun?: boolean;
  readonly variables?: Readonly<Record<string, string>>;
}

/** A folder with a process of `foldspace serve`, which can be killed and restarted for the same pages. */
export class ServedFolder {
  readonly path: string;
  readonly #how: ServeHow;
  #token: string;
  #process: ServedProcess | undefined;
  #port: number;

  private constructor(path: string, how: ServeHow) {
    this.path = path;
    this.#how = how;
    this.#port = how.port ?? 0;
    this.#token = how.token ?? newId();
  }

  /** Serves a folder; a new space, if none is given. */
  static async serve(path: string = join(temporaryFolder(), "notes"), how: ServeHow = {}): Promise<ServedFolder> {
    if (!how.isFirstRun && !existsSync(join(path, "space-v1"))) await foldspace(["init", path, "--name", "Notes"]);
    const served = new ServedFolder(path, how);
    await served.start();
    return served;
  }

  get url(): string {
    return this.#process!.url;
  }

  get port(): number {
    return this.#port;
  }

  get token(): string {
    return this.#token;
  }

  /** Like `foldspace serve` in general: with another token each time. */
  async startWithNewToken(): Promise<void> {
    this.#token = newId();
    await this.start();
  }

  /** @param machine the users of the machine from now on */
  async start(machine: ServeHow["machine"] = this.#how.machine ?? "own"): Promise<void> {
    const { app, variables } = this.#how;
    const args = ["--port", String(this.#port), "--create", "--name", "Notes"];
    if (machine !== "unknown") args.push(`--${machine}`);
    if (app !== undefined) args.push("--app", app);
    this.#process = await ServedProcess.start(this.path, args, { ...variables, FOLDSPACE_SERVE_TOKEN: this.#token });
    this.#port = this.#process.port;
  }

  async kill(): Promise<void> {
    await this.#process!.end("SIGKILL");
  }

  /** Makes it hang until it is killed. */
  freeze(): void {
    this.#process!.signal("SIGSTOP");
  }

  /** Moves the folder away, as if its disk were not connected. */
  hide(): { restore(): void } {
    const hidden = `${this.path} elsewhere`;
    renameSync(this.path, hidden);
    return { restore: () => renameSync(hidden, this.path) };
  }

  /** The contents of the folder by `foldspace export`. */
  async export(): Promise<string> {
    return await exportOf(this.path);
  }

  /** Paths of its log files. */
  logs(): string[] {
    return filesIn(this.path).filter((path) => path.endsWith(".jsonl"));
  }
}

export async function exportOf(folder: string): Promise<string> {
  const { code, stdout, stderr } = await foldspace(["export", folder, "--format", "json"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout.trimEnd();
}

/** The files in a folder, by their relative paths. */
export function filesIn(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return paths.filter((path) => statSync(join(folder, path)).isFile()).sort();
}

/** Copies missing files and files that have grown between two folders. */
export function carry(one: string, other: string): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    for (const path of filesIn(from)) {
      const target = join(to, path);
      if (existsSync(target) && statSync(target).size >= statSync(join(from, path)).size) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(from, path), target);
    }
}

/** Carries files between two folders all the time, as a sync service does. */
export class Carrier {
  readonly #carry: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(one: string, other: string) {
    this.#carry = () => carry(one, other);
    onTestFinished(() => this.stop());
    this.start();
  }

  start(): void {
    this.#carry();
    this.#timer = setInterval(this.#carry, 50);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Opens all folders in the panel that shows the folder. */
export async function openFolders(panel: Locator): Promise<void> {
  const closed = panel.locator("details:not([open]) > summary");
  while ((await closed.count()) > 0) await closed.first().click();
}

/** Opens a file in the panel that shows the folder. */
export async function openFile(panel: Locator, path: string): Promise<void> {
  await openFolders(panel);
  await panel.getByTitle(path).click();
}
