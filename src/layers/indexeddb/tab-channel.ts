import type { BatchKey, BatchRecord } from "./database.ts";

/** What a tab tells the others after a save. */
export interface TabMessage {
  readonly treeId: string;
  readonly key: BatchKey;
  readonly record: BatchRecord;
}

/** Between the tabs that have the same space open. It may be missing and may lose messages: a rescan finds what was not told. */
export class TabChannel {
  readonly #channel: BroadcastChannel | undefined;

  constructor(name: string, onMessage: (message: TabMessage) => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", (event: MessageEvent<TabMessage>) => onMessage(event.data));
  }

  tell(message: TabMessage): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
  }
}
