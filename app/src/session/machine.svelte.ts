import type { Machine } from "foldspace/bridge";
import { allowStorage, recall, remember } from "./browser-settings.ts";

/**
 * The users of this computer. This matters to pages of `foldspace serve`: data that a browser stores for one of them belongs to
 * a port of this computer, and every program that uses that port later can read it.
 */
class ThisMachine {
  /** `undefined` before the user has answered; until then, the browser stores nothing. */
  use: Machine | undefined = $state.raw();
  /** Whether it matters here. */
  isServed: boolean = $state(false);
  /** Whether it was set at the start of the server, and cannot be changed here. */
  isPreset: boolean = $state(false);

  /** Whether the browser may keep notes and files. */
  get keeps(): boolean {
    return !this.isServed || this.use === "own";
  }

  /** Restores the known answer. @param preset the server's answer */
  begin(isServed: boolean, preset?: Machine): void {
    this.isServed = isServed;
    this.isPreset = preset !== undefined;
    if (preset) this.set(preset);
    else this.use = asMachine(recall("machine"));
    allowStorage(this.keeps);
  }

  set(use: Machine): void {
    this.use = use;
    remember("machine", use);
    allowStorage(this.keeps);
  }
}

function asMachine(text: string | undefined): Machine | undefined {
  return text === "own" || text === "shared" ? text : undefined;
}

export const machine: ThisMachine = new ThisMachine();
