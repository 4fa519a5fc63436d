/** What the browser remembers for this page between visits. Losing it costs no more than a click. */
export type MemoryKey = "space" | "page" | "theme" | `peers:${string}` | `folder:${string}`;

const PREFIX = "foldspace:";

export function recall(key: MemoryKey): string | undefined {
  try {
    return localStorage.getItem(PREFIX + key) ?? undefined;
  } catch {
    // the browser forbids it: the same as a first visit
    return undefined;
  }
}

/** @param value `undefined` to forget */
export function remember(key: MemoryKey, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // forbidden or full: the next visit starts without it
  }
}
