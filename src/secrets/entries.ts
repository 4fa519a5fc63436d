import { FoldspaceError } from "../errors.ts";
import { compareStrings } from "./encoding.ts";
import { assertWithinLimits } from "./limits.ts";
import { parseObject, type SecretMap } from "./secret-map.ts";

/** What the latest operation on a secret made of it. */
export interface SecretEntry {
  /** `undefined`: deleted, which is remembered so that it stays so. */
  readonly value: string | undefined;
  /** Lamport counter: above every one that was known when it was made. */
  readonly counter: number;
  /** Who made it: decides between equal counters. */
  readonly peerId: string;
}

/** A last-writer-wins map: merging it in any order, and any number of times, gives the same. */
export type SecretEntries = ReadonlyMap<string, SecretEntry>;

/** As of operations in logs: a hostile counter is not to stop the clock. */
const MAX_COUNTER = 2 ** 48;

function isLater(entry: SecretEntry, than: SecretEntry | undefined): boolean {
  if (!than || entry.counter !== than.counter) return entry.counter > (than?.counter ?? 0);
  return compareStrings(entry.peerId, than.peerId) > 0;
}

/** Takes in entries that are later than those known. @returns names of secrets that have another value now */
export function mergeEntries(known: Map<string, SecretEntry>, arriving: SecretEntries): string[] {
  const changed: string[] = [];
  for (const [name, entry] of arriving) {
    const present = known.get(name);
    if (!isLater(entry, present)) continue;
    known.set(name, entry);
    if (present?.value !== entry.value) changed.push(name);
  }
  return changed;
}

/** Whether nothing in the others is later than here. */
export function covers(entries: SecretEntries, others: SecretEntries): boolean {
  return [...others].every(([name, entry]) => !isLater(entry, entries.get(name)));
}

/** The highest counter, 0 where there is none. */
export function highestCounter(entries: SecretEntries): number {
  return [...entries.values()].reduce((highest, { counter }) => Math.max(highest, counter), 0);
}

/** The secrets that are not deleted. */
export function liveSecrets(entries: SecretEntries): SecretMap {
  const live = new Map<string, string>();
  for (const [name, { value }] of entries) if (value !== undefined) live.set(name, value);
  return live;
}

/** Keys of the space in base64, by their ids. */
export type KeyTexts = ReadonlyMap<string, string>;

export interface SealedContent {
  readonly entries: SecretEntries;
  /** Other keys of the space that the writer held. */
  readonly keys: KeyTexts;
}

/** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
export function encodeContent({ entries, keys }: SealedContent): string {
  const json = JSON.stringify({
    entries: Array.from(entries, ([name, { value, counter, peerId }]) => ({ name, value, counter, peerId })),
    keys: Object.fromEntries(keys),
  });
  assertWithinLimits(entries.size, json);
  return json;
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE` */
export function parseContent(json: string): SealedContent {
  const { entries: list, keys } = parseObject(json) ?? {};
  if (!Array.isArray(list) || typeof keys !== "object" || keys === null) throw noContent();
  assertWithinLimits(list.length, json);
  const entries = new Map<string, SecretEntry>();
  for (const item of list as readonly unknown[]) {
    const { name, value, counter, peerId } = (item ?? {}) as Partial<Record<string, unknown>>;
    const isEntry = typeof name === "string" && typeof peerId === "string" && isCounter(counter);
    if (!isEntry || !(value === undefined || typeof value === "string")) throw noContent();
    entries.set(name, { value, counter, peerId });
  }
  const keyTexts = Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { entries, keys: new Map(keyTexts) };
}

/** @throws FoldspaceError `FOLD_COUNTER_EXHAUSTED` where nobody would read the next one */
export function counterAfter(highest: number): number {
  if (highest < MAX_COUNTER) return highest + 1;
  throw new FoldspaceError(
    "FOLD_COUNTER_EXHAUSTED",
    "The secrets cannot be changed any more: they have the highest counter there is",
  );
}

export function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COUNTER;
}

function noContent(): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_BROKEN", "What was sealed holds no secrets");
}
