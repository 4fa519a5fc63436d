import { defaultReportMessage, type Parameters } from "fast-check";
import { afterAll } from "vitest";
import { Worker } from "node:worker_threads";

/** To run a failure again. */
const GIVEN_SEED = process.env["FOLDSPACE_FUZZ_SEED"];
/** How long one run may take: a thousand times what it takes. */
const HANGS_AFTER_MS = 20_000;

export interface FuzzingBounds {
  /** Where the time does not end it before. */
  readonly runs: number;
  readonly seconds: number;
}

/** Parameters of fast-check for a property. Its seed is printed, and given by FOLDSPACE_FUZZ_SEED. */
export function fuzzing<T>({ runs, seconds }: FuzzingBounds): Parameters<T> {
  const seed = GIVEN_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(GIVEN_SEED);
  return {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: seconds * 1_000,
    markInterruptAsFailure: false,
    reporter: (details) => {
      if (details.failed) throw new Error(`FOLDSPACE_FUZZ_SEED=${seed} runs this again.\n${defaultReportMessage(details)}`);
      process.stdout.write(`${details.numRuns} runs with seed ${seed}\n`);
    },
  };
}

/** Ends the process where a single run does not come to an end, which no timeout of the test could: it says what the run was given. */
export class Watchdog {
  readonly #shared = new SharedArrayBuffer(8 + MAX_SHOWN_BYTES);
  readonly #state: Int32Array = new Int32Array(this.#shared, 0, 2);
  readonly #input: Uint8Array = new Uint8Array(this.#shared, 8);

  constructor() {
    const worker = new Worker(WATCHDOG, { eval: true, workerData: { shared: this.#shared, hangsAfterMs: HANGS_AFTER_MS } });
    worker.unref();
    afterAll(() => worker.terminate());
  }

  /** Runs something that must come to an end. */
  watch<T>(input: Uint8Array, run: () => T): T {
    const shown = input.subarray(0, MAX_SHOWN_BYTES);
    this.#input.set(shown);
    Atomics.store(this.#state, 1, shown.length);
    Atomics.add(this.#state, 0, 1);
    try {
      return run();
    } finally {
      Atomics.add(this.#state, 0, 1);
    }
  }
}

const MAX_SHOWN_BYTES = 64 * 1024;

/** An odd count is a run under way. */
const WATCHDOG = `
const { workerData: { shared, hangsAfterMs } } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const state = new Int32Array(shared, 0, 2);
let last = 0;
setInterval(() => {
  const count = Atomics.load(state, 0);
  if (count === last && count % 2 === 1) {
    const input = Buffer.from(new Uint8Array(shared, 8, Atomics.load(state, 1))).toString("base64");
    writeSync(2, "A run has not ended for " + hangsAfterMs + " ms. Its input, in base64:\\n" + input + "\\n");
    process.kill(process.pid, "SIGKILL");
  }
  last = count;
}, hangsAfterMs);
`;
