import { ChangedFolders } from "../changed-folders.ts";
import type { WatchHint } from "../file-system.ts";
import type { WatchedHint } from "./protocol.ts";

/** Above this number of changed folders, a full rescan is cheaper than naming each folder. */
const MAX_FOLDERS = 1024;

/**
 * Hints on their way to a client. While one message is under way, later hints are collected and merged, so a client
 * that is slow or does not read costs no more memory than that.
 */
export class HintQueue {
  readonly #send: (hints: readonly WatchedHint[]) => Promise<void>;
  /** By watch: the folders that changed, or the reason for a full rescan. */
  readonly #waiting = new Map<number, ChangedFolders<string> | string>();
  #isSending = false;

  /** @param send resolves when the message has left; never rejects */
  constructor(send: (hints: readonly WatchedHint[]) => Promise<void>) {
    this.#send = send;
  }

  add(id: number, hint: WatchHint): void {
    const waiting = this.#waiting.get(id) ?? new ChangedFolders();
    if (hint.kind === "rescan") this.#waiting.set(id, hint.reason);
    else if (typeof waiting !== "string") {
      waiting.add(hint.directory, hint.names);
      this.#waiting.set(id, waiting.size > MAX_FOLDERS ? "too many folders changed to name them" : waiting);
    }
    if (!this.#isSending) void this.#sendAll();
  }

  forget(id: number): void {
    this.#waiting.delete(id);
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.size > 0) {
      const hints = [...this.#waiting].flatMap(([id, waiting]) => toHints(waiting).map((hint) => ({ id, hint })));
      this.#waiting.clear();
      await this.#send(hints);
    }
    this.#isSending = false;
  }
}

function toHints(waiting: ChangedFolders<string> | string): WatchHint[] {
  if (typeof waiting === "string") return [{ kind: "rescan", reason: waiting }];
  return waiting.take().map(([directory, names]) => ({ kind: "dirty", directory, ...(names && { names }) }));
}
