import { concatBytes, isBytes } from "../../bytes.ts";
import type { Problem } from "../../errors.ts";
import { TimeSlicer } from "../../time-slicer.ts";
import { encodeLine, IdPool } from "../../log/line.ts";
import { LogParser } from "../../log/parser.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { BatchKey, BatchRecord, Database } from "./database.ts";

/** A record with its key. */
export type KeyedRecord = readonly [key: BatchKey, record: BatchRecord];
/** A record as found, with unchecked contents. */
export type FoundRecord = readonly [key: BatchKey, record: Partial<BatchRecord> | undefined];

/** Chromium fetches values above 64 KiB from the page after everything else: too late if the page is gone. */
const NEW_RECORD_LENGTH = 32 * 1024;
/** Records are joined up to this size, because reading has a cost per record. */
const FULL_RECORD_BYTES = 256 * 1024;
/** Takes a millisecond or two of parsing, and a few times that before the code is optimized. */
const SLICE_BYTES = 32 * 1024;

/** Records of one tree. */
function treeRange(spaceId: string, treeId: string): IDBKeyRange {
  // an array sorts behind every string, so this bound is just behind the last key with this prefix
  return IDBKeyRange.bound([spaceId, treeId], [spaceId, treeId, []]);
}

/** Name of a record in problems. */
export function recordName(key: BatchKey): string {
  return `batches/${key.join("/")}`;
}

/**
 * Encodes records of one peer each, in time slices that let other tasks run.
 * @param isUrgent whether to encode all records without yielding
 */
export async function encodeBatches(ops: readonly VertexOperation[], isUrgent: boolean): Promise<BatchRecord[]> {
  const records: BatchRecord[] = [];
  const waiting = new Map<string, string>();
  const slicer = new TimeSlicer();
  const finish = (peerId: string, lines: string): void => {
    records.push({ peerId, lines: new TextEncoder().encode(lines) });
    waiting.delete(peerId);
  };
  for (const op of ops) {
    const { peerId } = op.id;
    const lines = `${waiting.get(peerId) ?? ""}${encodeLine(op)}\n`;
    waiting.set(peerId, lines);
    if (lines.length < NEW_RECORD_LENGTH) continue;
    finish(peerId, lines);
    // closing the page loses all that is not in a transaction yet: a few typed operations never wait
    if (!isUrgent && slicer.isDue) await slicer.yieldToEventLoop();
  }
  for (const [peerId, lines] of waiting) finish(peerId, lines);
  return records;
}

/**
 * Reads records of a tree.
 * @param isWanted selects the records to read; default: all
 * @returns the keys of all records, and the wanted records
 */
export async function readRecords(
  database: Database,
  spaceId: string,
  treeId: string,
  isWanted?: (key: BatchKey) => boolean,
): Promise<{ keys: readonly BatchKey[]; records: readonly FoundRecord[] }> {
  const { store, done } = database.transaction("batches");
  void ignoreUnawaited(done);
  const range = treeRange(spaceId, treeId);
  const keys = store.getAllKeys(range);
  const records = isWanted
    ? keys.then((found) => Promise.all(found.filter(isWanted).map(async (key) => [key, await store.get(key)] as const)))
    : store.getAll(range).then(async (values) => (await keys).map((key, index) => [key, values[index]] as const));
  await awaitTransaction([keys, records], done);
  return { keys: await keys, records: await records };
}

/**
 * Saves records in one transaction.
 * @param onBegun called once the transaction no longer needs the page
 * @returns whether the database has no record of the space
 */
export async function saveRecords(
  database: Database,
  spaceId: string,
  records: readonly KeyedRecord[],
  durability: "relaxed" | "strict",
  onBegun?: () => void,
): Promise<boolean> {
  const transaction = database.transaction(["batches", "spaces"], "readwrite", { durability });
  void ignoreUnawaited(transaction.done);
  const [batches, spaces] = [transaction.objectStore("batches"), transaction.objectStore("spaces")];
  const known = ignoreUnawaited(spaces.getKey(spaceId));
  // another tab may have moved a record here from `localStorage`
  const putting = records.map(([key, record]) => ignoreUnawaited(batches.put(record, key)));
  // at once: a page that is being closed gets no answers to requests, and the browser rolls back an uncommitted transaction
  const committing = new Promise<void>((resolve) => resolve(transaction.commit()));
  onBegun?.();
  await awaitTransaction([known, ...putting, committing], transaction.done);
  return (await known) === undefined;
}

/** Parses the operations of records, in time slices that let other tasks run. */
export async function parseRecords(
  treeId: string,
  records: readonly FoundRecord[],
): Promise<{ ops: VertexOperation[]; problems: Problem[] }> {
  const ops: VertexOperation[] = [];
  const problems: Problem[] = [];
  const ids = new IdPool();
  const slicer = new TimeSlicer();
  for (const [key, record] of records) {
    const file = recordName(key);
    if (!isBatchOf(key, record)) {
      const reason = "the database record does not contain operations of its peer; it was skipped";
      problems.push({ code: "FOLD_BAD_RECORD", reason, file, treeId });
      continue;
    }
    const parser = new LogParser({ peerId: record.peerId, ids });
    for (let start = 0; start < record.lines.length; start += SLICE_BYTES) {
      parser.push(record.lines.subarray(start, start + SLICE_BYTES));
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
    parser.end();
    for (const op of parser.ops) ops.push(op);
    for (const problem of parser.problems) problems.push({ ...problem, file, treeId });
  }
  return { ops, problems };
}

export interface Compaction {
  readonly removed: readonly BatchKey[];
  readonly added: readonly FoundRecord[];
}

/**
 * Joins small records of a tree into big ones, because reading has a cost per record. Everything happens in one transaction,
 * so that a tab that writes at the same time loses nothing.
 * @param isWanted selects the records that may be joined; others are not even read
 * @param newKey makes a key that has never been used
 */
export async function compactBatches(
  database: Database,
  spaceId: string,
  treeId: string,
  isWanted: (key: BatchKey) => boolean,
  newKey: (peerId: string) => BatchKey,
): Promise<Compaction> {
  const transaction = database.transaction("batches", "readwrite");
  void ignoreUnawaited(transaction.done);
  const { store } = transaction;
  const joining = store.getAllKeys(treeRange(spaceId, treeId)).then(async (keys) => {
    const found = keys.filter(isWanted).map(async (key): Promise<FoundRecord> => [key, await store.get(key)]);
    const groups = smallOnes(await Promise.all(found)).flatMap(groupBySize);
    const added: FoundRecord[] = [];
    const removed: BatchKey[] = [];
    const requests: Promise<unknown>[] = [];
    for (const group of groups.filter(({ length }) => length > 1)) {
      const key = newKey(group[0]!.key[2]);
      const record = { peerId: key[2], lines: concatBytes(group.map(({ lines }) => lines)) };
      added.push([key, record]);
      for (const old of group) removed.push(old.key);
      requests.push(ignoreUnawaited(store.add(record, key)));
    }
    for (const key of removed) requests.push(ignoreUnawaited(store.delete(key)));
    await Promise.all(requests);
    return { added, removed };
  });
  await awaitTransaction([joining], transaction.done);
  return await joining;
}

/**
 * Keeps a failure from being reported as unhandled. A database that the browser deletes may close between two requests: then the
 * second one throws at once, and no code ever awaits the first.
 */
export function ignoreUnawaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * Waits until a transaction is done. Its own error gives the reason of a failure, not the error of a request: only the
 * transaction reports a full disk, and Chromium then may never answer some of the requests.
 */
export async function awaitTransaction(requests: readonly Promise<unknown>[], done: Promise<void>): Promise<void> {
  // the transaction reports their failures
  for (const request of requests) request.catch(() => undefined);
  await done;
}

function isBatchOf(key: BatchKey, record: Partial<BatchRecord> | undefined): record is BatchRecord {
  return isBytes(record?.lines) && record.peerId === key[2];
}

/** Whether a record is small enough to be joined with others, and undamaged. */
export function isJoinable(key: BatchKey, record: Partial<BatchRecord> | undefined): record is BatchRecord {
  return isBatchOf(key, record) && record.lines.length < FULL_RECORD_BYTES && record.lines.at(-1) === NEWLINE;
}

interface SmallRecord {
  readonly key: BatchKey;
  readonly lines: Uint8Array;
}

/** Groups the records that can be joined by peer. */
function smallOnes(records: readonly FoundRecord[]): SmallRecord[][] {
  const byPeer = new Map<string, SmallRecord[]>();
  for (const [key, record] of records) {
    if (!isJoinable(key, record)) continue;
    const own = byPeer.get(key[2]);
    if (own) own.push({ key, lines: record.lines });
    else byPeer.set(key[2], [{ key, lines: record.lines }]);
  }
  return [...byPeer.values()];
}

/** A record that was cut off does not end with it, and a record joined behind would be concatenated to the last line. */
const NEWLINE = 10;

function groupBySize(records: readonly SmallRecord[]): SmallRecord[][] {
  const groups: SmallRecord[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    if (size >= FULL_RECORD_BYTES) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(record);
    size += record.lines.length;
  }
  return groups;
}
