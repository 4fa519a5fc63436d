import { isDesktop } from "./desktop-window.ts";

/** Whether the browser promises to keep its copy of the notes even if it runs out of space. */
class Persistence {
  /** `undefined` before the request. */
  isGranted: boolean | undefined = $state.raw();
  #isAsked = false;

  /** Asks the browser once there is something to keep. @param isKept whether the browser has a copy at all */
  async ask(isKept: boolean): Promise<void> {
    // some browsers offer no such promise; the desktop app needs none
    if (this.#isAsked || !isKept || isDesktop || !("storage" in navigator)) return;
    this.#isAsked = true;
    try {
      this.isGranted = (await navigator.storage.persisted()) || (await navigator.storage.persist());
    } catch {
      // for example in a private window: the same as a refusal
      this.isGranted = false;
    }
  }
}

export const persistence: Persistence = new Persistence();
