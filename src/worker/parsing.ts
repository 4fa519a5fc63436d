import { MAX_LISTED_OF_FILE } from "../limits.ts";
import { startParseWorker } from "#platform-worker";
import { TimeSlicer } from "../time-slicer.ts";
import { systemClock, type Clock } from "../clock.ts";
import { LogParser, type LogPosition } from "../log/parser.ts";
import { newLogNumbers, OperationColumns, type LogNumbers } from "../tree/operation-columns.ts";
import { unpackInto, type FromWorker, type ParseResult } from "./protocol.ts";
import { webWorkerPort, type WebWorkerLike, type WorkerPort } from "./worker-port.ts";

/** The parsing of one file, chunk by chunk. Callers must end every job, even if they do not need its result. */
export interface ParseJob {
  push(bytes: Uint8Array): Promise<void>;
  end(): Promise<ParsedLog>;
}

export interface ParsedLog extends ParseResult {
  readonly columns: OperationColumns;
}

/** The file that a job parses. */
export interface ParsedFile {
  /** Peer whose operations the file holds. */
  readonly peerId: string;
  /** Shared by the files of one tree. */
  readonly numbers?: LogNumbers;
  /** Start of the bytes, if it is not the start of the file. */
  readonly from?: LogPosition;
}

export interface ParsingOptions {
  /** Whether a worker parses big files. Default: in a page, yes; in Node, where that takes longer in total, no. */
  readonly worker?: boolean;
  /** Makes the worker, for bundlers that do not find it themselves: `() => new Worker(…"foldspace/worker"…)`. */
  readonly createWorker?: () => WebWorkerLike;
  readonly clock?: Clock;
}

/** For fewer bytes (some ten thousand lines), a worker takes longer than it saves. */
const MIN_WORKER_BYTES = 700_000;
const START_TIMEOUT_MS = 5_000;
const IDLE_MS = 30_000;
const SLICE_BYTES = 128 * 1024;

/** Thrown if the worker broke during the job: the file must be read again. */
export class WorkerLost extends Error {}

/**
 * Decides where log files are parsed: a few on this thread, in slices that let other tasks run; many or big files in a
 * worker, if there is one. If the worker cannot be loaded, this thread parses everything from then on.
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

  /** @param bytes read together with the file: its own, as far as its size is known, and other files' */
  async open(file: ParsedFile, bytes: number): Promise<ParseJob> {
    const worker = bytes < MIN_WORKER_BYTES ? undefined : await this.#getWorker();
    if (!worker) return new InlineJob(file);
    this.#cancelIdle?.();
    return worker.open(file);
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
      // no worker is available (forbidden by the page's policy, or not found): parsing on this thread gives the same result
    }
    this.#isBroken = true;
    return undefined;
  }
}

class InlineJob implements ParseJob {
  readonly #columns: OperationColumns;
  readonly #parser: LogParser;
  readonly #slicer = new TimeSlicer();

  constructor({ peerId, numbers = newLogNumbers(), from }: ParsedFile) {
    this.#columns = new OperationColumns(peerId, numbers);
    this.#parser = new LogParser({ peerId, columns: this.#columns, maxProblems: MAX_LISTED_OF_FILE, ...(from && { from }) });
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      this.#parser.push(bytes.subarray(start, start + SLICE_BYTES));
      if (this.#slicer.isDue) await this.#slicer.yieldToEventLoop();
    }
  }

  async end(): Promise<ParsedLog> {
    const finalProblems = this.#parser.problems.length;
    const finalProblemCount = this.#parser.problemCount;
    this.#parser.end();
    // many small files are long work too
    if (this.#slicer.isDue) await this.#slicer.yieldToEventLoop();
    const { problems, problemCount, position } = this.#parser;
    return { columns: this.#columns, problems, problemCount, finalProblems, finalProblemCount, position };
  }
}

interface WorkerJob {
  readonly columns: OperationColumns;
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
   * @param onIdle called when the last job has ended
   * @returns the worker once it has answered
   * @throws Error if it does not answer in time
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

  open({ peerId, numbers = newLogNumbers(), from = { offset: 0, line: 0 } }: ParsedFile): ParseJob {
    const job = this.#nextJob++;
    const state: WorkerJob = { columns: new OperationColumns(peerId, numbers), resolve: undefined };
    this.#jobs.set(job, state);
    const answered = (): Promise<ParseResult | undefined> =>
      new Promise((resolve, reject) => {
        if (this.#lost) reject(this.#lost);
        else state.resolve = { resolve, reject };
      });
    this.#port.post({ type: "start", job, peerId, from });
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
        return { ...result!, columns: state.columns };
      },
    };
  }

  terminate(): void {
    this.#fail("the worker was ended");
    this.#port.terminate();
  }

  #receive(message: Exclude<FromWorker, { type: "ready" }>): void {
    const job = this.#jobs.get(message.job);
    if (message.type === "ops") {
      if (job) unpackInto(job.columns, message.packed);
    } else job?.resolve?.resolve(message.type === "done" ? message.result : undefined);
  }

  #fail(reason: string): void {
    this.#lost = new WorkerLost(reason);
    for (const job of this.#jobs.values()) job.resolve?.reject(this.#lost);
    this.#jobs.clear();
  }
}
