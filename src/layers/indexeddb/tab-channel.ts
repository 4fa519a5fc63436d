import type { BatchKey, BatchRecord } from "./database.ts";

/** A record that a tab sends to the other tabs after a save. */
export interface TabMessage {
  readonly treeId: string;
  readonly key: BatchKey;
  readonly record: BatchRecord;
}

/** Connects the tabs that have the same space open. It may be missing or lose messages: a rescan finds those records. */
export class TabChannel<M = TabMessage> {
  readonly #channel: BroadcastChannel | undefined;

  constructor(name: string, onMessage: (message: M) => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", (event: MessageEvent<M>) => onMessage(event.data));
  }

  post(message: M): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
  }
}
