import { FoldspaceError } from "../errors.ts";
import { compareWraps, Credential, wrapsData, type KeyWraps } from "./key-wraps.ts";
import type { SpaceKey } from "./space-key.ts";
import type { VaultFile } from "./vault-file.ts";

/** Trying a passphrase is slow on purpose, and files must not be able to make it slower without end. */
const MAX_DERIVATIONS = 4;

/**
 * Finds the keys that a passphrase or a recovery code opens.
 * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, or what is wrong with the files where none can be tried
 */
export async function findKeys(spaceId: string, text: string, files: readonly VaultFile[]): Promise<SpaceKey[]> {
  const credential = new Credential(text);
  const usable = files.filter((file) => file.header && !file.error);
  const keyIds = [...new Set(usable.map((file) => file.keyId!))].sort();
  if (keyIds.length === 0) throw files.find(({ error }) => error)?.error ?? notProtected();
  if (text === "") throw wrong("The passphrase is empty");
  const found: SpaceKey[] = [];
  let derivations = 0;
  let isOutdated = false;
  for (const keyId of keyIds) {
    const ofKey = usable.filter((file) => file.keyId === keyId);
    const context = { spaceId, keyId };
    for (const wraps of distinctWraps(ofKey)) {
      const byCode = await credential.unwrapAsCode(context, wraps);
      const key = byCode ?? (derivations++ < MAX_DERIVATIONS ? await credential.unwrapAsPassphrase(context, wraps) : undefined);
      if (!key) continue;
      const current = await latestGenuineWraps(ofKey, key);
      // what an intruder wrote as later wraps does not count, and what a peer wrote does
      if (byCode || compareWraps(current, wraps) <= 0) found.push(key);
      else {
        isOutdated = true;
        for (const file of ofKey) file.close();
      }
      break;
    }
  }
  if (found.length > 0) return found;
  throw wrong(
    isOutdated
      ? "The passphrase has been changed, and this is an earlier one"
      : "That is neither the passphrase nor the recovery code",
  );
}

/** The latest first, as the passphrase is mostly that. */
function distinctWraps(files: readonly VaultFile[]): KeyWraps[] {
  const distinct = new Map(files.map(({ header }) => [JSON.stringify(wrapsData(header!.wraps)), header!.wraps]));
  return [...distinct.values()].sort((a, b) => compareWraps(b, a));
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN` where none of the files is genuine */
async function latestGenuineWraps(files: readonly VaultFile[], key: SpaceKey): Promise<KeyWraps> {
  const latestFirst = files.toSorted((a, b) => compareWraps(b.header!.wraps, a.header!.wraps));
  for (const file of latestFirst) if (await file.open(key)) return file.header!.wraps;
  throw latestFirst[0]!.error!;
}

function notProtected(): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are not protected by a passphrase");
}

function wrong(reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_WRONG_PASSPHRASE", reason);
}
