import { errorCode, FoldspaceError, type Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { README_FILE, README_FILES, README_TEXT, OPS_DIR, parseSpaceFile, SPACE_DIR, SPACE_FILE } from "../log/index.ts";
import { CheckedChanges } from "./checked-changes.ts";
import { findOldLogs, findOldRoots, isOfSpace, KEPT_DIR, OldOperations, OLD_OPS_DIR, type OldLog } from "./old-operations.ts";
import { copySecrets, immovable, OldParts, OLD_SECRETS_FILES, OLD_SPACE_FILE } from "./old-parts.ts";
import { OperationTally } from "./operation-tally.ts";
import { readEntry } from "./read-entry.ts";
import { SpaceFolder } from "../layers/folder/space-folder.ts";

/** The outcome of `migrateFolder`. */
export interface Migration {
  /**
   * `finished`: completed an interrupted migration. `taken-in`: imported operations of version 0 that a device wrote before it
   * knew of the migration. `none`: the space already has the present format, and no files of version 0 are beside it.
   */
  readonly done: "migrated" | "finished" | "taken-in" | "none";
  readonly spaceId: string;
  /** Distinct operations of each tree that were copied. */
  readonly opCounts: ReadonlyMap<string, number>;
  /** Number of copied log files. */
  readonly files: number;
  /** Mostly lines that are not operations; they are copied unchanged. */
  readonly problems: readonly Problem[];
}

/** Folder in which the new space is built, hidden from all readers. */
const BUILD_DIR = ".space-v1.tmp";
const RECORD_FILE = "migrated.json";

/**
 * Converts a space of version 0 to version 1, and keeps the old files under `space-v0`. If the space has version 1 already, it
 * imports the files of version 0 beside it: those that an interrupted migration left, here or on another device, and those of
 * a device that did not know of the migration.
 *
 * The migration builds the new space in a folder of its own, reads it back, compares it, and moves it to its place in one
 * step. Only then does it move the old files. If interrupted, it leaves the old or the new space whole, and the next run finishes.
 * @throws FoldspaceError as `SpaceFolder.open`; before any change: `FOLD_NOT_DOWNLOADED`, `FOLD_IO` for a link, `FOLD_BUSY` if
 *   another program writes the old files, and errors of the file system
 */
export async function migrateFolder(folder: SpaceFolder, now: Date = new Date()): Promise<Migration> {
  const state = await inspect(folder);
  if (state.kind === "space") return await finish(folder, state.spaceId, now);
  for (const path of [joinPath(KEPT_DIR, OLD_OPS_DIR), SPACE_FILE, OLD_OPS_DIR]) await folder.assertNoLinks(path);
  const spaceFile = await read(folder, OLD_SPACE_FILE);
  const spaceId = parseSpaceFile(new TextDecoder().decode(spaceFile), folder.at(OLD_SPACE_FILE)).id;
  const old = await readOldSpace(folder);
  const built = state.kind === "half" ? undefined : await buildAside(folder, old, spaceFile, now);
  const { opCounts, problems } = built ?? (await completeHalf(folder, old, spaceFile, now));
  const finished = await finish(folder, spaceId, now);
  return {
    done: "migrated",
    spaceId,
    opCounts,
    files: old.logs.length,
    problems: [...old.problems, ...problems, ...finished.problems],
  };
}

type OldState = { readonly kind: "space"; readonly spaceId: string } | { readonly kind: "old" | "half" };

/** `half`: a space of version 0 with an unfinished one of version 1 beside it. */
async function inspect(folder: SpaceFolder): Promise<OldState> {
  const names = new Set((await folder.fs.list(folder.path))?.map(({ name }) => name));
  const hasOld = names.has(OLD_SPACE_FILE) && (await findOldRoots(folder)).length > 0;
  try {
    const state = await folder.inspect();
    if (state.kind === "space") return { kind: "space", spaceId: state.spaceFile.id };
    // after another device's migration has moved its log files, the folder does not count as a space
    if (state.kind !== "old-format" && !(state.kind === "empty" && hasOld)) throw folder.errorFor(state.kind);
  } catch (error) {
    const isUnfinished =
      errorCode(error) === "FOLD_BAD_SPACE_FILE" && (await folder.fs.stat(folder.at(SPACE_FILE))) === undefined;
    if (!hasOld || !isUnfinished) throw error;
  }
  return { kind: names.has(SPACE_DIR) ? "half" : "old" };
}

interface OldSpace {
  readonly logs: readonly OldLog[];
  readonly problems: Problem[];
}

async function readOldSpace(folder: SpaceFolder): Promise<OldSpace> {
  const logs: OldLog[] = [];
  const problems: Problem[] = [];
  for (const root of await findOldRoots(folder)) {
    const found = await findOldLogs(folder, root);
    if (found.waiting[0]) throw found.waiting[0];
    logs.push(...found.logs);
    problems.push(...found.problems.map((problem) => ({ ...problem, file: keptAt(problem.file!) })));
  }
  return { logs, problems };
}

/** Path of a file of version 0 after the migration. */
function keptAt(path: string): string {
  return path.startsWith(`${KEPT_DIR}/`) ? path : joinPath(KEPT_DIR, path);
}

interface NewSpace {
  readonly opCounts: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
}

/** @returns `undefined` if the folder that was built cannot be moved to its place */
async function buildAside(folder: SpaceFolder, old: OldSpace, spaceFile: Uint8Array, now: Date): Promise<NewSpace | undefined> {
  const changes = new CheckedChanges(folder);
  const built = new SpaceFolder(folder.fs, folder.at(BUILD_DIR));
  await changes.remove(BUILD_DIR);
  await changes.makeDirectory(joinPath(BUILD_DIR, OPS_DIR));
  const expected = new OperationTally();
  const operations = new OldOperations(folder, built, expected, { isOwner: true, now });
  for (const log of old.logs) if ((await operations.ingest(log)) === undefined) throw changed(folder, log.oldPath);
  await copyOldSecrets(folder, built);
  await new CheckedChanges(built).write(SPACE_FILE, spaceFile);

  const problems = await assertArrived(built, expected);
  await assertUnchanged(folder, old.logs);
  try {
    await changes.moveFolder(joinPath(BUILD_DIR, SPACE_DIR), SPACE_DIR);
  } catch (error) {
    immovable(error);
    return undefined;
  }
  return { opCounts: expected.opCounts, problems };
}

/** Writes the new space in its final place, and its space file last: before that, no reader treats it as a space. */
async function completeHalf(folder: SpaceFolder, old: OldSpace, spaceFile: Uint8Array, now: Date): Promise<NewSpace> {
  const changes = new CheckedChanges(folder);
  await changes.makeDirectory(OPS_DIR);
  const known = await tally(folder);
  const operations = new OldOperations(folder, folder, known, { isOwner: true, now });
  // a file that is gone was moved by another device's migration, and `finish` finds it in its new place
  for (const log of old.logs) await operations.ingest(log);
  await copyOldSecrets(folder, folder);
  if (!(await changes.stat(SPACE_FILE))) await changes.write(SPACE_FILE, spaceFile);
  return { opCounts: known.opCounts, problems: operations.problems };
}

async function copyOldSecrets(from: SpaceFolder, to: SpaceFolder): Promise<void> {
  for (const name of OLD_SECRETS_FILES) {
    const secrets = await new CheckedChanges(from).read(name);
    if (secrets) await copySecrets(to, secrets);
  }
}

/** Imports the files of version 0 beside a space of version 1, and moves them away. */
async function finish(folder: SpaceFolder, spaceId: string, now: Date): Promise<Migration> {
  const parts = new OldParts(folder, spaceId);
  const isInterrupted = (await folder.fs.list(folder.path))?.some(({ name }) => name === BUILD_DIR) ?? false;
  const hasSpaceFile = await parts.hasSpaceFile();
  const roots = await findOldRoots(folder);
  const known = roots.length > 0 ? await tally(folder) : new OperationTally();
  const operations = new OldOperations(folder, folder, known, { isOwner: false, now });
  const problems: Problem[] = [];
  let files = 0;
  for (const root of roots) {
    const found = await findOldLogs(folder, root);
    const logs = found.logs.filter((log) => isOfSpace(log, known));
    const sizes = new Map<string, number>();
    for (const log of logs) {
      const size = await operations.ingest(log);
      if (size !== undefined) sizes.set(log.oldPath, size);
    }
    files += sizes.size;
    problems.push(...found.waiting.map(({ code, message }) => ({ code, reason: message, file: root })));
    const isWhole = found.waiting.length === 0 && sizes.size === logs.length;
    const isOld = logs.length > 0 || (hasSpaceFile && found.files.length > 0);
    if (root === OLD_OPS_DIR && isWhole && isOld) await parts.moveLogs(operations, sizes);
  }
  await parts.ingestSecrets(hasSpaceFile || isInterrupted);
  if (hasSpaceFile) await parts.move(OLD_SPACE_FILE);
  const isFinished = parts.hasMoved || isInterrupted;
  if (isFinished) await writeMarkers(folder, now);
  if (isInterrupted) await new CheckedChanges(folder).remove(BUILD_DIR);
  const done = operations.ingested.size > 0 ? "taken-in" : isFinished ? "finished" : "none";
  return {
    done,
    spaceId,
    opCounts: operations.ingested,
    files,
    problems: [...problems, ...operations.problems, ...parts.problems],
  };
}

/** Tallies all operations of the space. */
async function tally(folder: SpaceFolder): Promise<OperationTally> {
  const known = new OperationTally();
  for (const log of (await folder.scan()).logs) {
    for await (const { ops } of readEntry(folder, log)) known.add(log.treeId, ops);
  }
  return known;
}

/** Reads the new space as any reader would, and checks that no operation is missing. @returns its problems */
async function assertArrived(built: SpaceFolder, expected: OperationTally): Promise<Problem[]> {
  const { logs, problems } = await built.scan();
  const arrived = new OperationTally();
  for (const log of logs) {
    for await (const part of readEntry(built, log)) {
      arrived.add(log.treeId, part.ops);
      problems.push(...part.problems);
    }
  }
  const treeId = arrived.findLacking(expected);
  if (treeId !== undefined) {
    const [found, all] = [arrived.opCounts.get(treeId) ?? 0, expected.opCounts.get(treeId)];
    throw new FoldspaceError(
      "FOLD_IO",
      `Only ${found} of ${all} operations of tree ${treeId} could be copied; nothing was changed`,
    );
  }
  return problems;
}

/** Checks that no lines were appended to the old files after they were copied. */
async function assertUnchanged(folder: SpaceFolder, logs: readonly OldLog[]): Promise<void> {
  const now = await readOldSpace(folder);
  const sizes = new Map(now.logs.map((log) => [log.oldPath, log.size]));
  if (now.logs.length === logs.length && logs.every((log) => sizes.get(log.oldPath) === log.size)) return;
  throw changed(folder);
}

async function writeMarkers(folder: SpaceFolder, now: Date): Promise<void> {
  const changes = new CheckedChanges(folder);
  const names = new Set((await folder.fs.list(folder.path))?.map((entry) => entry.name));
  if (!README_FILES.some((name) => names.has(name))) await changes.write(README_FILE, encode(README_TEXT));
  const path = joinPath(KEPT_DIR, RECORD_FILE);
  if (await changes.stat(path)) return;
  const record = { migratedAt: now.toISOString(), fromVersion: 0, toVersion: 1, status: "completed" };
  await changes.write(path, encode(`${JSON.stringify(record, undefined, 2)}\n`));
}

async function read(folder: SpaceFolder, path: string): Promise<Uint8Array> {
  const bytes = await new CheckedChanges(folder).read(path);
  if (bytes) return bytes;
  throw changed(folder, path);
}

function changed(folder: SpaceFolder, path = ""): FoldspaceError {
  return new FoldspaceError(
    "FOLD_BUSY",
    `Another program changes ${folder.at(path)}: close every app that has the space open, and try again; nothing was changed`,
  );
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
