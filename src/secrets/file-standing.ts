import type { Keyring } from "./keyring.ts";
import { compareWraps } from "./key-wraps.ts";
import type { VaultFile } from "./vault-file.ts";

/** Whether a file says that the protection was ended. One whose key is known has to be opened for that to count. */
export function saysEnded({ header, keyId }: VaultFile, keyring: Keyring): boolean {
  if (!header) return false;
  if (keyring.wrapsOf(keyId)) return keyring.isEnded(keyId) || (keyring.isReplaced(keyId) && keyring.endKey !== undefined);
  return header.isEnded && !keyring.get(keyId);
}

/** Whether a file opens with a passphrase that was changed. */
export function isLeaking(file: VaultFile, keyring: Keyring): boolean {
  if (!keyring.writeKey || !file.content) return false;
  return keyring.isReplaced(file.keyId) || compareToLatest(file, keyring) < 0;
}

/** Whether a file has been given a later passphrase than is known here. */
export function hasLaterWraps(file: VaultFile, keyring: Keyring): boolean {
  return compareToLatest(file, keyring) > 0;
}

/** How the ways to the key of a file compare with the latest, where it is the key to write under. */
function compareToLatest({ header, keyId }: VaultFile, keyring: Keyring): number {
  const { writeKey } = keyring;
  return writeKey && writeKey.id === keyId ? compareWraps(header!.wraps, keyring.wrapsOf(keyId)!) : 0;
}
