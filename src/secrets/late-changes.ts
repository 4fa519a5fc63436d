import { isLater } from "./entries.ts";
import type { VaultContents } from "./vault-contents.ts";
import { entriesIn } from "./vault-file.ts";

export interface LateChange {
  /** What the secret was when the protection was ended. */
  readonly before: string | undefined;
  readonly value: string | undefined;
}

/**
 * What others have set or deleted under the protection without knowing that it was ended, with what the secrets were when
 * it was: that is no part of what is kept without protection.
 */
export function lateChanges({ entries: { entries }, guard, protectionEnded }: VaultContents): ReadonlyMap<string, LateChange> {
  const late = new Map<string, LateChange>();
  if (!protectionEnded) return late;
  const endings = guard.openFiles.filter(({ header }) => header!.isEnded);
  const ended = entriesIn(endings);
  // before our own file is there, all that is known was taken out by us
  if (ended.size === 0) return late;
  for (const [name, entry] of entries)
    if (isLater(entry, ended.get(name))) late.set(name, { before: ended.get(name)?.value, value: entry.value });
  // two that have ended it at the same time may have taken out different values
  for (const { content } of endings)
    for (const [name, { value: before }] of content!.entries) {
      const latest = entries.get(name);
      const isOther = before !== undefined && latest && latest.value !== before && !late.has(name);
      if (isOther) late.set(name, { before, value: latest.value });
    }
  return late;
}
