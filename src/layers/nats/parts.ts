import { concatBytes } from "../../bytes.ts";
import type { Part } from "./message-codec.ts";

/** Bytes of unfinished bodies that are kept. A writer that stops in the middle of a body sends it anew, whole. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

interface Group {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
}

/** Joins the parts of bodies that are too long for one message. They come in any order, and perhaps more than once. */
export class Parts {
  readonly #groups = new Map<string, Group>();
  #bytes = 0;

  /**
   * @param writer whose parts belong together
   * @returns the body, if this was its last missing part
   */
  add(writer: string, { group: name, index, count }: Part, bytes: Uint8Array): Uint8Array | undefined {
    const key = `${writer} ${count} ${name}`;
    const group = this.#groups.get(key) ?? { parts: Array.from({ length: count }), missing: count, bytes: 0 };
    this.#groups.set(key, group);
    if (group.parts[index]) return undefined;
    group.parts[index] = bytes;
    group.missing--;
    group.bytes += bytes.length;
    this.#bytes += bytes.length;
    if (group.missing === 0) {
      this.#drop(key, group);
      return concatBytes(group.parts.map((part) => part!));
    }
    for (const [oldest, each] of this.#groups) {
      if (this.#bytes <= MAX_KEPT_BYTES) break;
      this.#drop(oldest, each);
    }
    return undefined;
  }

  clear(): void {
    this.#groups.clear();
    this.#bytes = 0;
  }

  #drop(key: string, { bytes }: Group): void {
    this.#groups.delete(key);
    this.#bytes -= bytes;
  }
}
