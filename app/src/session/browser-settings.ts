/** The settings that the browser remembers for this page between visits. Losing them costs no more than a click. */
export type SettingKey =
  | "space"
  | "page"
  | "theme"
  | "clock"
  | "device"
  | "machine"
  | "served"
  | "hide-done"
  | `peers:${string}`
  | `folder:${string}`;

const PREFIX = "foldspace:";
/** These reveal nothing about the notes, and are remembered on every computer. */
const HARMLESS: ReadonlySet<string> = new Set<SettingKey>(["theme", "clock", "machine"]);
let isAllowed = false;

/** Allows the other settings or not. Before the first call, they are not remembered. */
export function allowStorage(isWanted: boolean): void {
  isAllowed = isWanted;
}

/** Whether the browser may store data about the notes. */
export function isStorageAllowed(): boolean {
  return isAllowed;
}

export function recall(key: SettingKey): string | undefined {
  if (!isAllowed && !HARMLESS.has(key)) return undefined;
  try {
    return localStorage.getItem(PREFIX + key) ?? undefined;
  } catch {
    // the browser forbids it: the same as a first visit
    return undefined;
  }
}

/** @param value `undefined` to forget */
export function remember(key: SettingKey, value: string | undefined): void {
  if (!isAllowed && !HARMLESS.has(key)) return;
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // forbidden or full: the next visit starts without it
  }
}

/** Forgets everything except harmless settings. */
export function forgetAll(): void {
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
  for (const key of keys) if (key.startsWith(PREFIX) && !HARMLESS.has(key.slice(PREFIX.length))) localStorage.removeItem(key);
}
