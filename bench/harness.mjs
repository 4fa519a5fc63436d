// The common parts of all benchmarks. A bench file exports `name` and `async run(report)`.
//
// Rules: seeds are fixed; every result is checked, outside the timed part; limits are ratios against a floor
// that is measured in the same run, because absolute times depend more on the machine than on the code.

import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// Without garbage collection, a run pays for the garbage of the runs before it.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

const LABEL_WIDTH = 78;
const TIME_WIDTH = 10;

/** Prints the lines of a run and records which limits were exceeded. */
export class Report {
  #failures = [];
  #write;

  /** @param {(line: string) => void} [write] */
  constructor(write = (line) => console.log(line)) {
    this.#write = write;
  }

  /** @returns {readonly string[]} labels of the results that exceeded their limit */
  get failures() {
    return this.#failures;
  }

  heading(text) {
    this.#write(`\n${text}`);
  }

  /** Reports a time as a multiple of the floor; without `atMost`, for the record only. */
  ratio(label, measuredMs, floorMs, { atMost } = {}) {
    const ratio = measuredMs / floorMs;
    const verdict = atMost === undefined ? "" : `  (at most ${atMost}×) ${this.#judge(label, ratio <= atMost)}`;
    this.#write(
      `${label.padEnd(LABEL_WIDTH)}${formatMs(measuredMs)}  / floor ${formatMs(floorMs)} = ${ratio.toFixed(2).padStart(7)}×${verdict}`,
    );
  }

  /** Reports an absolute time; without `atMostMs`, for the record only. */
  time(label, measuredMs, { atMostMs } = {}) {
    const verdict = atMostMs === undefined ? "" : `  (at most ${atMostMs} ms) ${this.#judge(label, measuredMs <= atMostMs)}`;
    this.#write(`${label.padEnd(LABEL_WIDTH)}${formatMs(measuredMs)}${verdict}`);
  }

  /** Reports a number of things as a multiple of another one; without `atMost`, for the record only. */
  count(label, number, floor, { atMost } = {}) {
    const ratio = number / floor;
    const verdict = atMost === undefined ? "" : `  (at most ${atMost}×) ${this.#judge(label, ratio <= atMost)}`;
    const shown = String(number).padStart(TIME_WIDTH);
    this.#write(
      `${label.padEnd(LABEL_WIDTH)}${shown}  / floor ${String(floor).padStart(TIME_WIDTH)} = ${ratio.toFixed(2).padStart(7)}×${verdict}`,
    );
  }

  /** Reports an amount of memory as a multiple of another one; without `atMost`, for the record only. */
  bytes(label, bytes, floorBytes, { atMost } = {}) {
    const ratio = bytes / floorBytes;
    const verdict = atMost === undefined ? "" : `  (at most ${atMost}×) ${this.#judge(label, ratio <= atMost)}`;
    this.#write(
      `${label.padEnd(LABEL_WIDTH)}${formatKilobytes(bytes)}  / floor ${formatKilobytes(floorBytes)} = ${ratio.toFixed(2).padStart(7)}×${verdict}`,
    );
  }

  #judge(label, isWithin) {
    if (!isWithin) this.#failures.push(label);
    return isWithin ? "ok" : "OVER";
  }
}

/**
 * Median time of several runs in milliseconds, after a run that does not count.
 * @template S, R
 * @param {number} runs
 * @param {(prepared: S) => R | Promise<R>} fn the only timed part
 * @param {{ setup?: () => S | Promise<S>, check?: (result: R, prepared: S) => void | Promise<void> }} around
 *   `setup` prepares each run; `check` throws if its result is wrong
 */
export async function median(runs, fn, around = {}) {
  const times = [];
  for (let run = 0; run <= runs; run++) {
    const prepared = await around.setup?.();
    collectGarbage();
    const start = performance.now();
    let result = fn(prepared);
    if (result instanceof Promise) result = await result;
    const elapsed = performance.now() - start;
    await around.check?.(result, prepared);
    if (run > 0) times.push(elapsed);
  }
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  return times.length % 2 === 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

/**
 * Memory that a result keeps: heap and buffers, after garbage collection, and after a run that does not count.
 * @template R
 * @param {() => R} fn
 * @param {(result: R) => void} [inspect] throws if the result is wrong
 */
export async function kept(fn, inspect) {
  fn();
  const before = await usedBytes();
  const result = fn();
  const bytes = (await usedBytes()) - before;
  inspect?.(result);
  return bytes;
}

async function usedBytes() {
  // objects behind weak references live until the end of the task
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Throws if a result is wrong: a fast wrong answer is not a measurement. */
export function check(condition, message) {
  if (!condition) throw new Error(`Wrong result: ${message}`);
}

/** A seeded generator of numbers from 0 (inclusive) to 1 (exclusive) (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function formatKilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`.padStart(TIME_WIDTH);
}

function formatMs(ms) {
  return `${ms.toFixed(1)} ms`.padStart(TIME_WIDTH);
}
