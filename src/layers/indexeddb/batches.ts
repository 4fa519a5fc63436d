import { concatBytes } from "../../bytes.ts";
import type { Problem } from "../../errors.ts";
import { Pace } from "../../breathe.ts";
import { encodeLine, IdPool } from "../../log/line.ts";
import { LogParser } from "../../log/parser.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { BatchKey, BatchRecord, Database } from "./database.ts";

/** A record as it was found: it may be anything. */
export type FoundRecord = readonly [key: BatchKey, record: Partial<BatchRecord> | undefined];

/** About a quarter of a megabyte: a few milliseconds of work. */
const MAX_RECORD_OPS = 4_000;
/** A millisecond of parsing or two, and a few times that where the code is cold. */
const SLICE_BYTES = 32 * 1024;
/** Bigger records are left as they are. */
const FULL_BATCH_BYTES = 256 * 1024;

/** Records of one tree. */
function treeRange(spaceId: string, treeId: string): IDBKeyRange {
  // an array sorts behind every string, so this is just behind the last key that starts so
  return IDBKeyRange.bound([spaceId, treeId], [spaceId, treeId, []]);
}

/** How a record is called in problems. */
export function recordName(key: BatchKey): string {
  return `batches/${key.join("/")}`;
}

/** Records of one peer each, made in slices that leave others their turn. */
export async function encodeBatches(ops: readonly VertexOperation[]): Promise<BatchRecord[]> {
  const records: BatchRecord[] = [];
  const waiting = new Map<string, string[]>();
  const pace = new Pace();
  const finish = (peerId: string, lines: string[]): void => {
    records.push({ peerId, lines: new TextEncoder().encode(`${lines.join("\n")}\n`) });
    waiting.delete(peerId);
  };
  for (const op of ops) {
    const { peerId } = op.id;
    let lines = waiting.get(peerId);
    if (!lines) waiting.set(peerId, (lines = []));
    lines.push(encodeLine(op));
    if (lines.length >= MAX_RECORD_OPS) finish(peerId, lines);
    if (pace.isDue) await pace.breathe();
  }
  for (const [peerId, lines] of waiting) finish(peerId, lines);
  return records;
}

/**
 * Reads records of a tree.
 * @param isWanted tells those that are to be passed over; all are wanted by default
 * @returns the keys of all, and the records that are wanted
 */
export async function readRecords(
  database: Database,
  spaceId: string,
  treeId: string,
  isWanted?: (key: BatchKey) => boolean,
): Promise<{ keys: readonly BatchKey[]; records: readonly FoundRecord[] }> {
  const { store, done } = database.transaction("batches");
  const range = treeRange(spaceId, treeId);
  const keys = store.getAllKeys(range);
  const records = isWanted
    ? keys.then((found) => Promise.all(found.filter(isWanted).map(async (key) => [key, await store.get(key)] as const)))
    : store.getAll(range).then(async (values) => (await keys).map((key, index) => [key, values[index]] as const));
  await settleTransaction([keys, records], done);
  return { keys: await keys, records: await records };
}

/** Reads the operations out of records, in slices that leave others their turn. */
export async function parseRecords(
  treeId: string,
  records: readonly FoundRecord[],
): Promise<{ ops: VertexOperation[]; problems: Problem[] }> {
  const ops: VertexOperation[] = [];
  const problems: Problem[] = [];
  const ids = new IdPool();
  const pace = new Pace();
  for (const [key, record] of records) {
    const file = recordName(key);
    if (!isBatchOf(key, record)) {
      const reason = "the database record does not hold operations of its peer, and was passed over";
      problems.push({ code: "FOLD_BAD_RECORD", reason, file, treeId });
      continue;
    }
    const parser = new LogParser({ peerId: record.peerId, ids });
    for (let start = 0; start < record.lines.length; start += SLICE_BYTES) {
      parser.push(record.lines.subarray(start, start + SLICE_BYTES));
      if (pace.isDue) await pace.breathe();
    }
    parser.end();
    for (const op of parser.ops) ops.push(op);
    for (const { code, reason, line } of parser.problems) problems.push({ code, reason, line, file, treeId });
  }
  return { ops, problems };
}

export interface Compaction {
  readonly removed: readonly BatchKey[];
  readonly added: readonly BatchKey[];
}

/**
 * Joins small records of a tree into big ones, because reading costs by the record. Everything happens in one transaction,
 * so that a tab that writes at the same time loses nothing.
 * @param isWanted tells records that are to be left as they are
 * @param newKey makes a key that no one has used
 */
export async function compactBatches(
  database: Database,
  spaceId: string,
  treeId: string,
  isWanted: (key: BatchKey) => boolean,
  newKey: (peerId: string) => BatchKey,
): Promise<Compaction> {
  const transaction = database.transaction("batches", "readwrite");
  const { store } = transaction;
  const range = treeRange(spaceId, treeId);
  const joining = Promise.all([store.getAllKeys(range), store.getAll(range)]).then(async ([keys, records]) => {
    const found = keys.map((key, index): FoundRecord => [key, records[index]]);
    const groups = smallOnes(found.filter(([key]) => isWanted(key))).flatMap(groupBySize);
    const added: BatchKey[] = [];
    const removed: BatchKey[] = [];
    const requests: Promise<unknown>[] = [];
    for (const group of groups.filter(({ length }) => length > 1)) {
      const key = newKey(group[0]!.key[2]);
      added.push(key);
      for (const old of group) removed.push(old.key);
      requests.push(store.add({ peerId: key[2], lines: concatBytes(group.map(({ lines }) => lines)) }, key));
    }
    for (const key of removed) requests.push(store.delete(key));
    await Promise.all(requests);
    return { added, removed };
  });
  await settleTransaction([joining], transaction.done);
  return await joining;
}

/**
 * Waits until a transaction is done. Its own error, not that of a request, says why it failed: a full disk shows
 * there only.
 */
export async function settleTransaction(requests: readonly unknown[], done: Promise<void>): Promise<void> {
  await Promise.allSettled([...requests, done]);
  await done;
}

function isBatchOf(key: BatchKey, record: Partial<BatchRecord> | undefined): record is BatchRecord {
  return record?.lines instanceof Uint8Array && record.peerId === key[2];
}

interface SmallRecord {
  readonly key: BatchKey;
  readonly lines: Uint8Array;
}

/** Records that are worth joining, by peer. One that is damaged stays as it is. */
function smallOnes(records: readonly FoundRecord[]): SmallRecord[][] {
  const byPeer = new Map<string, SmallRecord[]>();
  for (const [key, record] of records) {
    if (!isBatchOf(key, record) || record.lines.length >= FULL_BATCH_BYTES || record.lines.at(-1) !== NEWLINE) continue;
    const own = byPeer.get(key[2]);
    if (own) own.push({ key, lines: record.lines });
    else byPeer.set(key[2], [{ key, lines: record.lines }]);
  }
  return [...byPeer.values()];
}

/** What is joined behind a record that was cut off would be glued to its last line. */
const NEWLINE = 10;

function groupBySize(records: readonly SmallRecord[]): SmallRecord[][] {
  const groups: SmallRecord[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    if (size >= FULL_BATCH_BYTES) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(record);
    size += record.lines.length;
  }
  return groups;
}
