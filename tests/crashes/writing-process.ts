import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { encodeLine } from "../../src/log/line.ts";
import type { VertexOperation } from "../../src/tree/index.ts";

const WRITER = fileURLToPath(new URL("./writer.mjs", import.meta.url));
const DEADLINE_MS = 20_000;

/** Operations that a process has said to be safe: those of a peer from one counter to another. */
export interface Saved {
  readonly peerId: string;
  readonly first: number;
  readonly last: number;
  /** Of their lines. */
  readonly digest: string;
}

export interface WritingOptions {
  /** Largest flush, about. */
  readonly mostBytes?: number;
  readonly pauseMs?: number;
  /** User that it runs as. */
  readonly uid?: number;
}

/** A process that writes into a space until it is killed. */
export class WritingProcess {
  readonly saved: Saved[] = [];
  readonly refusals: string[] = [];
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<void>;
  #isReady = false;
  #complaints = "";

  constructor(folder: string, spaceId: string, options: WritingOptions = {}) {
    if (!existsSync(new URL("../../dist/index.js", import.meta.url)))
      throw new Error("dist is missing: run `npm run build` first");
    const args = [WRITER, folder, spaceId, String(options.mostBytes ?? 200_000), String(options.pauseMs ?? 0)];
    const user = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
    this.#process = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], ...user });
    this.#process.stderr.on("data", (bytes: Buffer) => (this.#complaints += bytes.toString()));
    this.#ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
    createInterface(this.#process.stdout).on("line", (line) => this.#take(line));
  }

  /** Waits until something about it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = Date.now() + DEADLINE_MS;
    while (!isSo()) {
      if (Date.now() > end || this.#process.exitCode !== null)
        throw new Error(`Waited in vain until ${what}; last refused with ${this.refusals.at(-1)}; ${this.#complaints}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async ready(): Promise<void> {
    await this.until("the writer is ready", () => this.#isReady);
  }

  /** Kills it wherever it is, and waits until all it has said is here. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  #take(line: string): void {
    const [word, ...rest] = line.split(" ");
    if (word === "ready") this.#isReady = true;
    if (word === "refused") this.refusals.push(rest[0]!);
    const [, peerId, first, last, digest] = rest;
    // the last line may be cut off, and then says nothing
    if (word === "saved" && digest?.length === 64)
      this.saved.push({ peerId: peerId!, first: Number(first), last: Number(last), digest });
  }
}

/** What a process has said to be safe and is not there, or not as it was. */
export function missingFrom(ops: readonly VertexOperation[], saved: readonly Saved[]): Saved[] {
  const byPeer = new Map<string, Map<number, VertexOperation>>();
  for (const op of ops) {
    let own = byPeer.get(op.id.peerId);
    if (!own) byPeer.set(op.id.peerId, (own = new Map()));
    own.set(op.id.counter, op);
  }
  return saved.filter(({ peerId, first, last, digest }) => {
    const lines: string[] = [];
    for (let counter = first; counter <= last; counter++) {
      const op = byPeer.get(peerId)?.get(counter);
      if (op) lines.push(encodeLine(op));
    }
    return createHash("sha256").update(lines.join("\n")).digest("hex") !== digest;
  });
}
