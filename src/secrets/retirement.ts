import type { SecretEntries } from "./entries.ts";
import { hasLaterWraps, isLeaking } from "./file-standing.ts";
import { MAX_SEALED_BYTES } from "./limits.ts";
import type { VaultContents } from "./vault-contents.ts";
import type { StoredSealedFile, VaultFile } from "./vault-file.ts";
import type { OwnFile } from "./vault-writer.ts";

/**
 * Other peers' files that add nothing to ours are removed after this time without a change: the more files, the sooner.
 */
const REST_MS: readonly { readonly moreFilesThan: number; readonly moreBytesThan: number; readonly restMs: number }[] = [
  { moreFilesThan: 128, moreBytesThan: MAX_SEALED_BYTES / 2, restMs: 600_000 },
  { moreFilesThan: 64, moreBytesThan: MAX_SEALED_BYTES / 4, restMs: 86_400_000 },
  { moreFilesThan: -1, moreBytesThan: -1, restMs: 30 * 86_400_000 },
];

/** A source, and our file in it. */
interface Target {
  readonly source: object;
  /** The peer id of our file. */
  readonly peerId: string;
  /** Our file, if it is there or is being written there. */
  readonly own: OwnFile | undefined;
}

/**
 * Other peers' files in a source that can be removed, because they add nothing to ours.
 * @param now milliseconds since the epoch
 */
export function retirableFiles(contents: VaultContents, target: Target, now: number): StoredSealedFile[] {
  const { files, keyring, entries, guard, protectionEnded } = contents;
  const { source, peerId, own } = target;
  const others = files.in(source).filter((file) => file.content !== undefined && !file.isOf(peerId));
  const restMs = restMsOf(others);
  const isAtRest = ({ stored: { modifiedMs } }: VaultFile): boolean => modifiedMs === undefined || now - modifiedMs > restMs;
  const canGo = (file: VaultFile): boolean => {
    if (protectionEnded) return isEndSaidElsewhere(file, contents, target);
    if (!own || !entries.areCovered(file.content!.entries, own.entries)) return false;
    return isLeaking(file, keyring) || (isAtRest(file) && !guard.isOld(file));
  };
  return others.filter((file) => canGo(file) && !hasLaterWraps(file, keyring)).map(({ stored }) => stored);
}

function restMsOf(files: readonly VaultFile[]): number {
  const bytes = files.reduce((sum, { stored }) => sum + (typeof stored.content === "string" ? stored.content.length : 0), 0);
  return REST_MS.find(({ moreFilesThan, moreBytesThan }) => files.length > moreFilesThan || bytes > moreBytesThan)!.restMs;
}

/**
 * Whether another file in a source, or ours, also says that the protection was ended, with the same secrets. Of two files that
 * say the same, one is removed: the same one on all devices, because otherwise they could remove both.
 */
function isEndSaidElsewhere(file: VaultFile, { entries: known, guard }: VaultContents, { source, own }: Target): boolean {
  const { peerId: filePeerId, isEnded } = file.header!;
  const fileEntries = file.content!.entries;
  const others: { readonly peerId: string; readonly entries: SecretEntries }[] = guard
    .openIn(source)
    .filter((other) => other !== file && other.header!.isEnded && !other.stored.isCopy)
    .map((other) => ({ peerId: other.header!.peerId, entries: other.content!.entries }));
  if (own?.isEnded) others.push(own);
  return others.some(({ peerId, entries }) => {
    if (!known.areCovered(fileEntries, entries)) return false;
    const isSame = known.areCovered(entries, fileEntries);
    return !isEnded || file.stored.isCopy === true || !isSame || peerId > filePeerId;
  });
}
