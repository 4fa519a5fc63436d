import type { Site, Transport } from "./transport.ts";

/** One folder for both, such as a network drive: what the others are held against. */
export class SharedFolder implements Transport {
  readonly folders: readonly [string, string];
  readonly failure: undefined;

  constructor({ one }: Site) {
    this.folders = [one, one];
  }

  async join(): Promise<void> {}
  async part(): Promise<void> {}
  async end(): Promise<void> {}
}
