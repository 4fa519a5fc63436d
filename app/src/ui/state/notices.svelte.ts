import { errorCode } from "foldspace";
import { describeError } from "../words/problem-words.ts";

export interface NoticeAction {
  readonly label: string;
  run(): void;
}

/** A message that is shown in a corner for a while, or until it is closed. */
export interface Notice {
  readonly id: number;
  readonly tone: "info" | "bad";
  readonly text: string;
  /** Advice for the user. */
  readonly advice?: string;
  /** Details of the failure. */
  readonly details?: string;
  readonly code?: string;
  readonly action?: NoticeAction;
}

/** The answer to an edit of a copy that is only read. */
export const NOTHING_CHANGED = "This is a copy to look at: nothing in it is changed.";

const INFO_MS = 5_000;
/** More notices than these replace the oldest. */
const LIMIT = 4;

class Notices {
  list: readonly Notice[] = $state.raw([]);
  /** Whether the open space refuses edits, so that a refusal is not a failure. */
  isReadOnly = false;
  #nextId = 1;

  /** Reports a success. */
  inform(text: string, action?: NoticeAction): void {
    if (this.list.some((notice) => notice.text === text && !action && !notice.action)) return;
    const notice: Notice = { id: this.#nextId++, tone: "info", text, ...(action ? { action } : {}) };
    this.#add(notice);
    setTimeout(() => this.close(notice.id), action ? 2 * INFO_MS : INFO_MS);
  }

  /**
   * Reports a failure. The message stays until it is closed.
   * @param what the failed action, as a sentence
   * @param advice in place of the words for the error's code
   */
  report(what: string, error: unknown, advice?: string): void {
    const code = errorCode(error);
    if (code === "FOLD_READ_ONLY" && this.isReadOnly) return this.inform(NOTHING_CHANGED);
    const details = error instanceof Error ? error.message : String(error);
    const known = this.list.find((notice) => notice.text === what && notice.details === details);
    if (known) return;
    advice ??= code ? `${describeError(code).title}. ${describeError(code).advice}` : undefined;
    this.#add({
      id: this.#nextId++,
      tone: "bad",
      text: what,
      details,
      ...(advice === undefined ? {} : { advice }),
      ...(code === undefined ? {} : { code }),
    });
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(notice: Notice): void {
    this.list = [...this.list, notice].slice(-LIMIT);
  }
}

export const notices: Notices = new Notices();

/** Runs the action of a click, and shows its failure. */
export async function attempt(what: string, action: () => Promise<unknown> | void): Promise<void> {
  try {
    await action();
  } catch (error) {
    notices.report(what, error);
  }
}
