import { FoldspaceError } from "../errors.ts";
import { compareStrings } from "./encoding.ts";
import { isProven } from "./key-replacement.ts";
import { compareWraps, UnlockAttempt, wrapsData, type KeyWraps } from "./key-wraps.ts";
import type { SpaceKey } from "./space-key.ts";
import type { VaultFile } from "./vault-file.ts";

/** Trying a passphrase is slow on purpose. The limit keeps files from making it slower without end. */
const MAX_DERIVATIONS = 4;

/**
 * Finds the keys that a passphrase or a recovery code opens.
 * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, or the error of the files if none can be tried
 */
export async function findKeys(spaceId: string, text: string, files: readonly VaultFile[]): Promise<SpaceKey[]> {
  const attempt = new UnlockAttempt(text);
  const usable = files.filter((file) => file.header && !file.error);
  if (usable.length === 0) throw files.find(({ error }) => error)?.error ?? notProtected();
  if (text === "") throw wrong("The passphrase is empty");
  const [present, outdated]: [SpaceKey[], SpaceKey[]] = [[], []];
  let broken: FoldspaceError | undefined;
  let derivations = 0;
  for (const { keyId, wraps } of distinctWraps(usable)) {
    if ([...present, ...outdated].some(({ id }) => id === keyId)) continue;
    const context = { spaceId, keyId };
    const byCode = await attempt.unwrapAsCode(context, wraps);
    const key = byCode ?? (derivations++ < MAX_DERIVATIONS ? await attempt.unwrapAsPassphrase(context, wraps) : undefined);
    if (!key) continue;
    const ofKey = usable.filter((file) => file.keyId === keyId);
    const current = await latestGenuineWraps(ofKey, key);
    if (!current) broken = ofKey[0]!.error;
    // later wraps count if a peer wrote them, but not if an intruder did
    else if ((byCode || compareWraps(current, wraps) <= 0) && !(await isReplaced(spaceId, key, usable))) present.push(key);
    else outdated.push(key);
  }
  if (present.length > 0) return [...present, ...outdated];
  for (const { id } of outdated) for (const file of usable) if (file.keyId === id) file.close();
  if (outdated.length > 0) throw wrong("This is an earlier passphrase: it has been changed");
  throw broken ?? wrong("This is neither the passphrase nor the recovery code");
}

/** Whether a file under another key proves that this one was replaced. */
async function isReplaced(spaceId: string, key: SpaceKey, files: readonly VaultFile[]): Promise<boolean> {
  for (const { header } of files)
    for (const replacement of header?.replaces ?? []) if (await isProven(spaceId, replacement, key, header!.keyId)) return true;
  return false;
}

/** The latest first, because the passphrase mostly belongs to it, whatever earlier ones are left. */
function distinctWraps(files: readonly VaultFile[]): { readonly keyId: string; readonly wraps: KeyWraps }[] {
  const distinct = new Map(
    files.map(({ keyId, header }) => [
      JSON.stringify([keyId, ...wrapsData(header!.wraps)]),
      { keyId: keyId!, wraps: header!.wraps },
    ]),
  );
  return [...distinct.values()].sort((a, b) => compareWraps(b.wraps, a.wraps) || compareStrings(a.keyId, b.keyId));
}

/** @returns `undefined` if none of the files is genuine */
async function latestGenuineWraps(files: readonly VaultFile[], key: SpaceKey): Promise<KeyWraps | undefined> {
  const latestFirst = files.toSorted((a, b) => compareWraps(b.header!.wraps, a.header!.wraps));
  for (const file of latestFirst) if (await file.open(key)) return file.header!.wraps;
  return undefined;
}

function notProtected(): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are not protected by a passphrase");
}

function wrong(reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_WRONG_PASSPHRASE", reason);
}
