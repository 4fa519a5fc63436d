import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FoldspaceError } from "../../src/errors.ts";
import type { PeerLease, PeerPool } from "../../src/peers/peer-pool.ts";
import type { LeaseState, PoolAnswer, PoolCall } from "./pool-process.ts";

/** The program of an instance. */
export class PoolProgram {
  readonly #folder = mkdtempSync(join(tmpdir(), "foldspace-peers-"));
  readonly #path = join(this.#folder, "pool-process.mjs");

  async build(): Promise<void> {
    const entry = fileURLToPath(new URL("pool-process.ts", import.meta.url));
    await build({ entryPoints: [entry], outfile: this.#path, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  }

  start(stateFolder: string): RemotePool {
    return new RemotePool(fork(this.#path, [stateFolder]));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

type Call = PoolCall extends infer Each ? (Each extends PoolCall ? Omit<Each, "n"> : never) : never;

/** The pool of an instance in another process. */
export class RemotePool implements PeerPool {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: PoolAnswer) => void>();
  #count = 0;

  constructor(child: ChildProcess) {
    this.#process = child;
    child.on("message", (answer: PoolAnswer) => this.#waiting.get(answer.n)?.(answer));
  }

  async lease(spaceId: string): Promise<PeerLease> {
    return new RemoteLease(this, await this.call({ type: "lease", spaceId }));
  }

  /** @returns when the process has ended */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  async call(call: Call): Promise<LeaseState> {
    const n = this.#count++;
    const answer = await new Promise<PoolAnswer>((resolve) => {
      this.#waiting.set(n, resolve);
      this.#process.send({ ...call, n });
    });
    if (answer.state) return answer.state;
    throw new FoldspaceError("FOLD_IO", answer.error ?? "");
  }
}

class RemoteLease implements PeerLease {
  readonly peerId: string;
  readonly usedUpTo: number;
  reservedUpTo: number;
  readonly reservesAtOnce = false;
  readonly isHeld = true;
  readonly #pool: RemotePool;
  readonly #index: number;

  constructor(pool: RemotePool, { lease, peerId, usedUpTo, reservedUpTo }: LeaseState) {
    this.peerId = peerId;
    this.usedUpTo = usedUpTo;
    this.reservedUpTo = reservedUpTo;
    this.#pool = pool;
    this.#index = lease;
  }

  async reserve(counter: number): Promise<void> {
    const { reservedUpTo } = await this.#pool.call({ type: "reserve", lease: this.#index, counter });
    this.reservedUpTo = reservedUpTo;
  }

  async release(usedUpTo: number): Promise<void> {
    await this.#pool.call({ type: "release", lease: this.#index, counter: usedUpTo });
  }

  async retire(): Promise<void> {
    await this.#pool.call({ type: "retire", lease: this.#index });
  }
}
