/** Words behind a file's name that mark another version of the file, and not a file that is not there. */
const VERSION_WORD = /^(?:conflict\d*|conflicted|path\d+|orig|mine|theirs|ours|base|local|remote|backup|bak|old|new|r\d+)$/i;

/**
 * Recognises the file that a sync service leaves in the place of a file that it has not downloaded: `.NAME.icloud`, or, with at
 * most one byte in it, `NAME.WORD` (`.nextcloud`, `.owncloud`, `.cloud`, and whatever a themed client calls it).
 * @param name of the found file
 * @param size in bytes
 * @returns the name of the file that is not downloaded
 */
export function placeholderTarget(name: string, size: number): string | undefined {
  const hidden = /^\.(.+)\.icloud$/i.exec(name)?.[1];
  if (hidden !== undefined) return hidden;
  const [, target, word] = size <= 1 ? (/^((?:[^.~#][^/]*)?\.jsonl?|secrets)\.([A-Za-z][A-Za-z0-9_]*)$/.exec(name) ?? []) : [];
  return word === undefined || VERSION_WORD.test(word) ? undefined : target;
}

/** The problem of a placeholder, in words. */
export const NOT_DOWNLOADED = "the sync service has not downloaded this file yet";
