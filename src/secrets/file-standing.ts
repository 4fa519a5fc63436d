import type { Keyring } from "./keyring.ts";
import { compareWraps } from "./key-wraps.ts";
import type { VaultFile } from "./vault-file.ts";

/** Whether a file says that the protection was ended. If its key is known, the file counts only once it has been opened. */
export function saysEnded({ header, keyId }: VaultFile, keyring: Keyring): boolean {
  if (!header) return false;
  if (keyring.wrapsOf(keyId)) return keyring.isEnded(keyId) || (keyring.isReplaced(keyId) && keyring.endKey !== undefined);
  return header.isEnded && !keyring.get(keyId);
}

/** Whether a file opens with a passphrase that has been changed since. */
export function isLeaking(file: VaultFile, keyring: Keyring): boolean {
  if (!keyring.writeKey || !file.content) return false;
  return keyring.isReplaced(file.keyId) || compareToLatest(file, keyring) < 0;
}

/** Whether a file has a later passphrase than the one known here. */
export function hasLaterWraps(file: VaultFile, keyring: Keyring): boolean {
  return compareToLatest(file, keyring) > 0;
}

/** Compares the wraps of a file with the latest known ones, if the file's key is the key to write under; otherwise 0. */
function compareToLatest({ header, keyId }: VaultFile, keyring: Keyring): number {
  const { writeKey } = keyring;
  return writeKey && writeKey.id === keyId ? compareWraps(header!.wraps, keyring.wrapsOf(keyId)!) : 0;
}
