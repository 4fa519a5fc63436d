import { MAX_LISTED_OF_FILE } from "../limits.ts";
import { startParseWorker } from "#platform-worker";
import { TimeSlicer } from "../time-slicer.ts";
import { systemClock, type Clock } from "../clock.ts";
import { LogParser, type LogParserOptions } from "../log/parser.ts";
import type { VertexOperation } from "../tree/index.ts";
import { unpackOps, type FromWorker, type ParseResult } from "./protocol.ts";
import { webWorkerPort, type WebWorkerLike, type WorkerPort } from "./worker-port.ts";

/** The parsing of one file, chunk by chunk. It has to be ended, also where nobody needs what comes of it. */
export interface ParseJob {
  push(bytes: Uint8Array): Promise<void>;
  end(): Promise<ParsedLog>;
}

export interface ParsedLog extends ParseResult {
  readonly ops: VertexOperation[];
}

export interface ParsingOptions {
  /** Whether big files are parsed in a worker. Default: in a page, yes; in Node, where that takes longer in all, no. */
  readonly worker?: boolean;
  /** Makes the worker, for bundlers that do not find it by themselves: `() => new Worker(…"foldspace/worker"…)`. */
  readonly createWorker?: () => WebWorkerLike;
  readonly clock?: Clock;
}

/** Below this many bytes (some ten thousand lines) a worker takes longer than it saves. */
const MIN_WORKER_BYTES = 700_000;
const START_TIMEOUT_MS = 5_000;
const IDLE_MS = 30_000;
const SLICE_BYTES = 128 * 1024;

/** Thrown when the worker broke while it had the job: the file has to be read again. */
export class WorkerLost extends Error {}

/**
 * Decides where log files are parsed: a few here, in slices that leave others their turn; many or big ones in a worker,
 * if there is one. If the worker cannot be loaded, everything is parsed here from then on.
 */
export class Parsing {
  readonly #wanted: boolean;
  readonly #createWorker: (() => WebWorkerLike) | undefined;
  readonly #clock: Clock;
  #worker: Promise<ParseWorker | undefined> | undefined;
  #isBroken = false;
  #cancelIdle: (() => void) | undefined;

  constructor(options: ParsingOptions = {}) {
    this.#createWorker = options.createWorker;
    this.#wanted = options.worker ?? (options.createWorker !== undefined || "document" in globalThis);
    this.#clock = options.clock ?? systemClock;
  }

  /** @param bytes that are being read together: of the file, as far as its size is known, and of others */
  async open(options: LogParserOptions, bytes: number): Promise<ParseJob> {
    const worker = bytes < MIN_WORKER_BYTES ? undefined : await this.#getWorker();
    if (!worker) return new InlineJob(options);
    this.#cancelIdle?.();
    return worker.open(options);
  }

  close(): void {
    this.#cancelIdle?.();
    void this.#worker?.then((worker) => worker?.terminate());
    this.#worker = undefined;
  }

  #getWorker(): Promise<ParseWorker | undefined> {
    if (!this.#wanted || this.#isBroken) return Promise.resolve(undefined);
    this.#worker ??= this.#start();
    return this.#worker;
  }

  async #start(): Promise<ParseWorker | undefined> {
    try {
      const port = this.#createWorker ? webWorkerPort(this.#createWorker()) : startParseWorker();
      const onIdle = (): void => void (this.#cancelIdle = this.#clock.schedule(IDLE_MS, () => this.close()));
      if (port) return await ParseWorker.start(port, this.#clock, onIdle, () => (this.#isBroken = true));
    } catch {
      // no worker to be had here (forbidden by the page's policy, or not found): parsing here gives the same
    }
    this.#isBroken = true;
    return undefined;
  }
}

class InlineJob implements ParseJob {
  readonly #parser: LogParser;
  readonly #slicer = new TimeSlicer();

  constructor(options: LogParserOptions) {
    this.#parser = new LogParser({ ...options, maxProblems: MAX_LISTED_OF_FILE });
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      this.#parser.push(bytes.subarray(start, start + SLICE_BYTES));
      if (this.#slicer.isDue) await this.#slicer.yieldToEventLoop();
    }
  }

  async end(): Promise<ParsedLog> {
    const settledProblems = this.#parser.problems.length;
    const settledCount = this.#parser.problemCount;
    this.#parser.end();
    // many small files are long work, too
    if (this.#slicer.isDue) await this.#slicer.yieldToEventLoop();
    const { ops, problems, problemCount, position } = this.#parser;
    return { ops, problems, problemCount, finalProblems: settledProblems, finalProblemCount: settledCount, position };
  }
}

interface WorkerJob {
  readonly ops: VertexOperation[];
  resolve: { resolve: (result?: ParseResult) => void; reject: (error: Error) => void } | undefined;
}

class ParseWorker {
  readonly #port: WorkerPort;
  readonly #onIdle: () => void;
  readonly #jobs = new Map<number, WorkerJob>();
  #nextJob = 1;
  #lost: WorkerLost | undefined;

  private constructor(port: WorkerPort, onIdle: () => void) {
    this.#port = port;
    this.#onIdle = onIdle;
  }

  /**
   * @param onIdle told when the last of its jobs has ended
   * @returns the worker when it has answered
   * @throws Error if it does not in time
   */
  static async start(port: WorkerPort, clock: Clock, onIdle: () => void, onLost: () => void): Promise<ParseWorker> {
    const worker = new ParseWorker(port, onIdle);
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.schedule(START_TIMEOUT_MS, () => reject(new WorkerLost("The worker does not answer")));
      port.listen(
        (message) => {
          cancel();
          if (message.type === "ready") resolve();
          else worker.#receive(message);
        },
        (reason) => {
          cancel();
          reject(new WorkerLost(reason));
          worker.#fail(reason);
          onLost();
        },
      );
    }).catch((error: unknown) => {
      port.terminate();
      throw error;
    });
    return worker;
  }

  open(options: LogParserOptions): ParseJob {
    const job = this.#nextJob++;
    const state: WorkerJob = { ops: [], resolve: undefined };
    this.#jobs.set(job, state);
    const answered = (): Promise<ParseResult | undefined> =>
      new Promise((resolve, reject) => {
        if (this.#lost) reject(this.#lost);
        else state.resolve = { resolve, reject };
      });
    this.#port.post({ type: "start", job, peerId: options.peerId, from: options.from ?? { offset: 0, line: 0 } });
    return {
      push: async (bytes) => {
        const taken = answered();
        this.#port.post({ type: "chunk", job, bytes });
        await taken;
      },
      end: async () => {
        const done = answered();
        this.#port.post({ type: "end", job });
        const result = await done;
        this.#jobs.delete(job);
        if (this.#jobs.size === 0) this.#onIdle();
        return { ...result!, ops: state.ops };
      },
    };
  }

  terminate(): void {
    this.#fail("the worker was ended");
    this.#port.terminate();
  }

  #receive(message: Exclude<FromWorker, { type: "ready" }>): void {
    const job = this.#jobs.get(message.job);
    if (message.type === "ops") for (const op of unpackOps(message.packed)) job?.ops.push(op);
    else job?.resolve?.resolve(message.type === "done" ? message.result : undefined);
  }

  #fail(reason: string): void {
    this.#lost = new WorkerLost(reason);
    for (const job of this.#jobs.values()) job.resolve?.reject(this.#lost);
    this.#jobs.clear();
  }
}
