/** Something that was done to more than the page that is shown, and can be taken back. */
export interface Step {
  undo(): void;
  redo(): void;
}

/** What was done last, as long as nothing was done to a page since: undo and redo begin with these. */
export class StepsElsewhere {
  readonly #steps: Readonly<Record<"undo" | "redo", Step[]>> = { undo: [], redo: [] };

  add(step: Step): void {
    this.#steps.undo.push(step);
    this.#steps.redo.length = 0;
  }

  /** Takes a step off that has been taken back in another way. */
  drop(isMeant: (step: Step) => boolean): void {
    for (const steps of Object.values(this.#steps)) {
      const at = steps.findIndex(isMeant);
      if (at >= 0) steps.splice(at, 1);
    }
  }

  clear(): void {
    for (const steps of Object.values(this.#steps)) steps.length = 0;
  }

  /** @returns whether there was something to be taken back, or to be done again */
  run(what: "undo" | "redo"): boolean {
    const step = this.#steps[what].pop();
    if (!step) return false;
    // what it does to pages clears the rest
    step[what]();
    this.#steps[what === "undo" ? "redo" : "undo"].push(step);
    return true;
  }
}
