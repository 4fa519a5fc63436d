import type { Machine } from "foldspace/bridge";
import { allowStorage, recall, remember } from "./browser-settings.ts";

/**
 * Who uses this computer. It matters to pages of `foldspace serve`: what a browser keeps for one of them belongs to a port
 * of this computer, and every program that takes that port later can read it.
 */
class ThisMachine {
  /** `undefined` while nobody has said; nothing is kept in the browser then. */
  use: Machine | undefined = $state.raw();
  /** Whether it matters here. */
  isServed: boolean = $state(false);
  /** Whether whoever started the server has said it, and it cannot be changed here. */
  isPreset: boolean = $state(false);

  /** Whether the browser may keep notes and files. */
  get keeps(): boolean {
    return !this.isServed || this.use === "own";
  }

  /** Takes what is known. @param preset what the server says */
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
