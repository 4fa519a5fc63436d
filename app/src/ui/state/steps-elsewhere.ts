/** An action on more than the shown page that can be undone. */
export interface Step {
  undo(): void;
  redo(): void;
}

/** The last actions, as long as no page has been edited since: undo and redo begin with these. */
export class StepsElsewhere {
  readonly #steps: Readonly<Record<"undo" | "redo", Step[]>> = { undo: [], redo: [] };

  add(step: Step): void {
    this.#steps.undo.push(step);
    this.#steps.redo.length = 0;
  }

  /** Removes a step that has been undone in another way. */
  drop(isMeant: (step: Step) => boolean): void {
    for (const steps of Object.values(this.#steps)) {
      const at = steps.findIndex(isMeant);
      if (at >= 0) steps.splice(at, 1);
    }
  }

  clear(): void {
    for (const steps of Object.values(this.#steps)) steps.length = 0;
  }

  /** @returns whether there was a step to undo or redo */
  run(what: "undo" | "redo"): boolean {
    const step = this.#steps[what].pop();
    if (!step) return false;
    // its edits of pages clear the other steps
    step[what]();
    this.#steps[what === "undo" ? "redo" : "undo"].push(step);
    return true;
  }
}
