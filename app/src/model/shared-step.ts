import type { Effect } from "./journal.ts";

/** A journal with a part of a {@link SharedStep}. */
export interface SharingJournal {
  revertShared(step: SharedStep, what: "undo" | "redo"): readonly Effect[];
  dropShared(step: SharedStep): void;
}

/** Changes that no journal records. */
export interface OtherChanges {
  /** @returns whether anything was left to undo */
  undo(): boolean;
  redo(): boolean;
}

/**
 * One step in the journals of several trees: an undo in any of them undoes all of it, whatever was edited elsewhere since. A
 * journal that can no longer redo its part drops the step from all of them.
 */
export class SharedStep {
  readonly #journals = new Set<SharingJournal>();
  readonly #others: OtherChanges | undefined;
  #isUndone = false;

  constructor(others?: OtherChanges) {
    this.#others = others;
  }

  /** Whether it has been undone, and not redone since. */
  get isUndone(): boolean {
    return this.#isUndone;
  }

  add(journal: SharingJournal): void {
    this.#journals.add(journal);
  }

  /** @returns the effects in one of the journals; `undefined` if nothing was left to undo anywhere */
  revert(what: "undo" | "redo", asking?: SharingJournal): readonly Effect[] | undefined {
    this.#isUndone = what === "undo";
    let isDone = this.#others?.[what]() ?? false;
    let asked: readonly Effect[] = [];
    for (const journal of this.#journals) {
      const effects = journal.revertShared(this, what);
      if (effects.length > 0) isDone = true;
      if (journal === asking) asked = effects;
    }
    return isDone ? asked : undefined;
  }

  /** Takes the step out of all journals. Its changes stay. */
  drop(): void {
    for (const journal of this.#journals) journal.dropShared(this);
  }
}
