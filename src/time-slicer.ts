/** How long one piece of work goes on before others get a turn, in milliseconds: with a pause of the garbage collector, two frames. */
const SLICE_MS = 4;
/** How long all work together may keep a visible page from its timers and frames, in milliseconds: half a frame. */
const FRAME_MS = 8;

/** When timers last had their turn between pieces of work, in a visible page. */
let lastTimerTurn = 0;

/**
 * Keeps long work from blocking what else runs here, such as a page's drawing.
 *
 * ```ts
 * const slicer = new TimeSlicer();
 * for (const item of items) { work(item); if (slicer.isDue) await slicer.yieldToEventLoop(); }
 * ```
 */
export class TimeSlicer {
  #sliceStart = performance.now();

  /** Whether the work has gone on long enough. */
  get isDue(): boolean {
    const now = performance.now();
    return now - this.#sliceStart > SLICE_MS || (isVisiblePage() && now - lastTimerTurn > FRAME_MS);
  }

  /**
   * Lets others have a turn.
   * @param isLongAhead whether what comes next cannot be divided, so that also timers and frames should be served before
   */
  async yieldToEventLoop(isLongAhead = false): Promise<void> {
    // Many short pieces, each in a task of its own, starve timers and frames as one long piece would: browsers put tasks first.
    if (isVisiblePage() && (isLongAhead || performance.now() - lastTimerTurn > FRAME_MS)) {
      // timers set by timers are slowed down
      await nextTask();
      await new Promise((resolve) => setTimeout(resolve));
      lastTimerTurn = performance.now();
    } else {
      await nextTask();
    }
    this.#sliceStart = performance.now();
  }
}

/** Pages out of sight draw nothing, and their timers are slowed down to seconds. */
function isVisiblePage(): boolean {
  return (globalThis as { document?: { visibilityState?: string } }).document?.visibilityState === "visible";
}

/**
 * A new task of the event loop, sooner than timers give one. Not `scheduler.yield`: what it continues goes before
 * timers and frames.
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
