/** How long work goes on before others get a turn, in milliseconds: half a frame. */
const SLICE_MS = 8;

/**
 * Keeps long work from blocking what else runs here, such as a page's drawing.
 *
 * ```ts
 * const pace = new Pace();
 * for (const item of items) { work(item); if (pace.isDue) await pace.breathe(); }
 * ```
 */
export class Pace {
  #sliceStart = performance.now();

  /** Whether the work has gone on long enough. */
  get isDue(): boolean {
    return performance.now() - this.#sliceStart > SLICE_MS;
  }

  /** Lets others have a turn. */
  async breathe(): Promise<void> {
    await nextTurn();
    this.#sliceStart = performance.now();
  }
}

/** A new task of the event loop, sooner than timers give one. */
function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } };
  if (scheduler?.yield) return scheduler.yield();
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
