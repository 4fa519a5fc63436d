/** How long one piece of work runs before other tasks get a turn, in milliseconds: with a garbage collection, two frames. */
const SLICE_MS = 4;
/** How long all work together may delay the timers and frames of a visible page, in milliseconds: half a frame. */
const FRAME_MS = 8;

/** When timers last ran between pieces of work, in a visible page. */
let lastTimerTurn = 0;

/**
 * Prevents long work from blocking other tasks here, such as drawing a page.
 *
 * ```ts
 * const slicer = new TimeSlicer();
 * for (const item of items) { work(item); if (slicer.isDue) await slicer.yieldToEventLoop(); }
 * ```
 */
export class TimeSlicer {
  #sliceStart = performance.now();

  /** Whether the work has run long enough. */
  get isDue(): boolean {
    const now = performance.now();
    return now - this.#sliceStart > SLICE_MS || (isVisiblePage() && now - lastTimerTurn > FRAME_MS);
  }

  /**
   * Lets other tasks run.
   * @param isLongAhead whether the next piece cannot be divided, so that timers and frames should run before it too
   */
  async yieldToEventLoop(isLongAhead = false): Promise<void> {
    // Many short pieces, each in its own task, starve timers and frames as one long piece would: browsers prefer tasks.
    if (isVisiblePage() && (isLongAhead || performance.now() - lastTimerTurn > FRAME_MS)) {
      // browsers slow down timers that timers have set
      await nextTask();
      await new Promise((resolve) => setTimeout(resolve));
      lastTimerTurn = performance.now();
    } else {
      await nextTask();
    }
    this.#sliceStart = performance.now();
  }
}

/** Hidden pages draw nothing, and browsers slow down their timers to seconds. */
function isVisiblePage(): boolean {
  return (globalThis as { document?: { visibilityState?: string } }).document?.visibilityState === "visible";
}

/**
 * A new task of the event loop, which starts sooner than a timer. `scheduler.yield` is no alternative: its continuation
 * runs before timers and frames.
 */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener(
      "message",
      () => {
        port1.close();
        resolve();
      },
      { once: true },
    );
    port1.start();
    port2.postMessage(null);
  });
}
