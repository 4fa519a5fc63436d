import { openDB } from "idb";
import { FoldspaceError, type Problem, toFoldspaceError } from "../../errors.ts";
import { assertOperations, toJsonValue, type VertexOperation } from "../../tree/index.ts";
import { hasIndexedDb, type SpaceRecord } from "./database.ts";

/** Name of the existing app's database. */
export const LOCAL_DB_NAME = "localDb";

/** A space as the existing app kept it in the browser. */
export interface ImportedSpace {
  readonly pointer: SpaceRecord;
  readonly trees: ReadonlyMap<string, readonly VertexOperation[]>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Rows that are not operations, which were skipped. */
  readonly problems: readonly Problem[];
}

/** Rows of the existing app's tables. */
interface SpaceRow {
  readonly id: string;
  readonly uri?: string | null;
  readonly name?: string | null;
  readonly createdAt?: Date | number | string;
}
interface OperationRow {
  readonly clock: number;
  readonly peerId: string;
  readonly treeId: string;
  readonly spaceId: string;
  readonly targetId: string;
  readonly parentId?: string | null;
  readonly key?: string;
  readonly value?: unknown;
}
interface SecretRow {
  readonly spaceId: string;
  readonly key: string;
  readonly value: unknown;
}

/**
 * Reads the spaces of the existing app from the browser, and changes nothing there.
 * @returns no spaces if the database does not exist
 * @throws FoldspaceError `FOLD_UNAVAILABLE`, `FOLD_FOREIGN_STORAGE`, `FOLD_IO`
 */
export async function readLocalDb(name: string = LOCAL_DB_NAME): Promise<ImportedSpace[]> {
  if (!hasIndexedDb()) throw new FoldspaceError("FOLD_UNAVAILABLE", "This platform has no IndexedDB");
  let isNew = false;
  const opening = openDB(name, undefined, {
    upgrade(_database, _oldVersion, _newVersion, transaction) {
      // the database did not exist: opening created it, and the abort removes it again
      isNew = true;
      transaction.abort();
      // the failed opening below handles it
      transaction.done.catch(() => undefined);
    },
  });
  let database: Awaited<typeof opening>;
  try {
    database = await opening;
  } catch (error) {
    if (isNew) return [];
    throw toFoldspaceError(error);
  }
  try {
    const missing = ["spaces", "treeOps"].filter((table) => !database.objectStoreNames.contains(table));
    if (missing.length > 0)
      throw new FoldspaceError("FOLD_FOREIGN_STORAGE", `The database ${name} has no ${missing.join(" and no ")}`);
    const spaces = (await database.getAll("spaces")) as SpaceRow[];
    const secrets = database.objectStoreNames.contains("secrets") ? ((await database.getAll("secrets")) as SecretRow[]) : [];
    const rows = (await database.getAll("treeOps")) as OperationRow[];
    return spaces.map((space) => toImportedSpace(space, rows, secrets));
  } finally {
    database.close();
  }
}

function toImportedSpace(space: SpaceRow, rows: readonly OperationRow[], secrets: readonly SecretRow[]): ImportedSpace {
  const trees = new Map<string, VertexOperation[]>();
  const problems: Problem[] = [];
  for (const row of rows) {
    if (row.spaceId !== space.id) continue;
    try {
      const op = toOperation(row);
      const ops = trees.get(row.treeId);
      if (ops) ops.push(op);
      else trees.set(row.treeId, [op]);
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      problems.push({ code, reason: message, file: `treeOps/${row.treeId}/${row.clock}@${row.peerId}`, treeId: row.treeId });
    }
  }
  const own: [key: string, value: string][] = [];
  for (const { spaceId, key, value } of secrets) {
    if (spaceId !== space.id) continue;
    if (typeof value === "string") own.push([key, value]);
    else problems.push({ code: "FOLD_BAD_RECORD", reason: "the secret is not a text; it was skipped", file: `secrets/${key}` });
  }
  const { id, uri, name } = space;
  const createdAt = new Date(space.createdAt ?? Number.NaN);
  const pointer: SpaceRecord = {
    id,
    ...(typeof uri === "string" ? { uri } : {}),
    ...(typeof name === "string" ? { name } : {}),
    ...(Number.isNaN(createdAt.getTime()) ? {} : { createdAt: createdAt.toISOString() }),
  };
  return { pointer, trees, secrets: Object.fromEntries(own), problems };
}

function toOperation(row: OperationRow): VertexOperation {
  const id = { counter: row.clock, peerId: row.peerId };
  const { targetId } = row;
  if (row.parentId !== undefined) return checked({ id, targetId, parentId: row.parentId });
  const key = row.key!;
  return checked({
    id,
    targetId,
    key,
    value: row.value === undefined ? undefined : toJsonValue(row.value, key),
    transient: false,
  });
}

function checked(op: VertexOperation): VertexOperation {
  assertOperations([op]);
  return op;
}
