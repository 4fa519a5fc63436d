import { isLater } from "./entries.ts";
import type { VaultContents } from "./vault-contents.ts";
import { entriesIn } from "./vault-file.ts";

export interface LateChange {
  /** The value when the protection was ended. */
  readonly before: string | undefined;
  readonly value: string | undefined;
}

/**
 * The secrets that other devices have set or deleted under the protection without knowing that it was ended, with their values
 * when it was ended. These changes are not part of the secrets that are kept without protection.
 */
export function lateChanges({ entries: { entries }, guard, protectionEnded }: VaultContents): ReadonlyMap<string, LateChange> {
  const late = new Map<string, LateChange>();
  if (!protectionEnded) return late;
  const endings = guard.openFiles.filter(({ header }) => header!.isEnded);
  const ended = entriesIn(endings);
  // until our own file is written, all known secrets have been taken out by this device
  if (ended.size === 0) return late;
  for (const [name, entry] of entries)
    if (isLater(entry, ended.get(name))) late.set(name, { before: ended.get(name)?.value, value: entry.value });
  // two devices that have ended it at the same time may have taken out different values
  for (const { content } of endings)
    for (const [name, { value: before }] of content!.entries) {
      const latest = entries.get(name);
      const isOther = before !== undefined && latest && latest.value !== before && !late.has(name);
      if (isOther) late.set(name, { before, value: latest.value });
    }
  return late;
}
