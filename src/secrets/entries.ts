import { MAX_COUNTER } from "../limits.ts";
import { FoldspaceError } from "../errors.ts";
import { compareStrings, utf8 } from "./encoding.ts";
import { assertFitsFile } from "./limits.ts";
import { parseRecoveryPair, recoveryPairTexts, type RecoveryPair } from "./recovery-wrap.ts";
import { parseObject } from "./secret-map.ts";

/** The result of the latest operation on a secret. */
export interface SecretEntry {
  /** `undefined`: deleted. The deletion is remembered, so that the secret stays deleted. */
  readonly value: string | undefined;
  /** Lamport counter: above every counter that its author knew when the operation was made. */
  readonly counter: number;
  /** The author, who decides between equal counters. */
  readonly peerId: string;
}

/** A last-writer-wins map: merging it in any order, and any number of times, gives the same result. */
export type SecretEntries = ReadonlyMap<string, SecretEntry>;

export function isLater(entry: SecretEntry, than: SecretEntry | undefined): boolean {
  if (!than || entry.counter !== than.counter) return entry.counter > (than?.counter ?? 0);
  return compareStrings(entry.peerId, than.peerId) > 0;
}

/** Merges the entries that are later than those known. */
export function mergeEntries(known: Map<string, SecretEntry>, arriving: SecretEntries): void {
  for (const [name, entry] of arriving) if (isLater(entry, known.get(name))) known.set(name, entry);
}

/**
 * Whether no entry of the others is later than the entry here.
 * @param cleaned deletions up to this counter may be missing here
 */
export function covers(entries: SecretEntries, others: SecretEntries, cleaned: number = 0): boolean {
  for (const [name, entry] of others) {
    const present = entries.get(name);
    if (isLater(entry, present) && !(present === undefined && isCleaned(entry, cleaned))) return false;
  }
  return true;
}

/** Whether an entry is a deletion that is no longer remembered. */
export function isCleaned({ value, counter }: SecretEntry, cleaned: number): boolean {
  return value === undefined && counter <= cleaned;
}

/** Keys of the space in base64, by their ids. */
export type KeyTexts = ReadonlyMap<string, string>;

export interface SealedContent {
  readonly entries: SecretEntries;
  /** Other keys of the space that the writer held. */
  readonly keys: KeyTexts;
  /** Lets a holder of the key give the recovery code access to the next key. */
  readonly recovery?: RecoveryPair | undefined;
  /** Deletions up to this counter may have been cleaned up, and are then missing. */
  readonly cleaned?: number | undefined;
}

/** Bytes that an entry takes in the JSON of a file. */
export function entryBytes(name: string, { value, counter, peerId }: SecretEntry): number {
  return utf8(JSON.stringify({ name, value, counter, peerId })).length + 1;
}

/** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
export function encodeContent({ entries, keys, recovery, cleaned }: SealedContent): string {
  const json = JSON.stringify({
    entries: Array.from(entries, ([name, { value, counter, peerId }]) => ({ name, value, counter, peerId })),
    keys: Object.fromEntries(keys),
    ...(recovery ? { recovery: recoveryPairTexts(recovery) } : {}),
    ...(cleaned ? { cleaned } : {}),
  });
  assertFitsFile(utf8(json).length);
  return json;
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE` */
export function parseContent(json: string): SealedContent {
  assertFitsFile(utf8(json).length);
  const { entries: list, keys, recovery, cleaned } = parseObject(json) ?? {};
  if (!Array.isArray(list) || typeof keys !== "object" || keys === null) throw noContent();
  const entries = new Map<string, SecretEntry>();
  for (const item of list as readonly unknown[]) {
    const { name, value, counter, peerId } = (item ?? {}) as Partial<Record<string, unknown>>;
    const isEntry = typeof name === "string" && typeof peerId === "string" && isCounter(counter);
    if (!isEntry || !(value === undefined || typeof value === "string")) throw noContent();
    entries.set(name, { value, counter, peerId });
  }
  const keyTexts = Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return {
    entries,
    keys: new Map(keyTexts),
    recovery: parseRecoveryPair(recovery),
    cleaned: isCounter(cleaned) ? cleaned : undefined,
  };
}

/** @throws FoldspaceError `FOLD_COUNTER_EXHAUSTED` if no device would accept the next counter */
export function counterAfter(highest: number): number {
  if (highest < MAX_COUNTER) return highest + 1;
  throw new FoldspaceError(
    "FOLD_COUNTER_EXHAUSTED",
    "The secrets cannot be changed any more: they have reached the highest counter",
  );
}

export function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COUNTER;
}

function noContent(): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_BROKEN", "The decrypted file contains no secrets");
}
