import { FoldspaceError, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import {
  LogParser,
  MARKER_FILE,
  MARKER_FILES,
  MARKER_TEXT,
  OPS_DIR,
  parseSpaceFile,
  SPACE_DIR,
  SPACE_FILE,
} from "../../log/index.ts";
import { OperationTally } from "./operation-tally.ts";
import { readEntry } from "./read-entry.ts";
import { repairRemovals } from "./repair-removals.ts";
import { sortOut, SpaceFolder, type LogEntry } from "./space-folder.ts";

export interface Migration {
  /** `finished`: one that had been interrupted after everything was copied. `none`: the space has the present format already. */
  readonly done: "migrated" | "finished" | "none";
  readonly spaceId: string;
  /** Distinct operations of each tree that was copied. */
  readonly opCounts: ReadonlyMap<string, number>;
  /** Log files copied. */
  readonly files: number;
  /** Above all, lines that are no operations: they are carried over as they are. */
  readonly problems: readonly Problem[];
}

/** The new space is built in here, out of sight of every reader. While it stands beside a finished space, old files wait to be moved. */
const BUILD_DIR = ".space-v1.tmp";
const OLD_OPS_DIR = "ops";
const KEPT_DIR = "space-v0";
const OLD_PARTS: readonly string[] = [OLD_OPS_DIR, "secrets", "secrets.json", "space.json"];

/**
 * Turns a space of version 0 into one of version 1 and keeps the old files under `space-v0`.
 *
 * The new space is built aside, read back and compared, and put in its place in one step; only then are the old files
 * moved. Interrupted anywhere, it leaves the old space or the new one whole, and finishes when it is run again.
 * @throws FoldspaceError as `SpaceFolder.open`; before anything has changed: `FOLD_NOT_DOWNLOADED`, `FOLD_BUSY` where
 *   something else writes the old files, and what reading and writing fail with
 */
export async function migrateFolder(folder: SpaceFolder, now: Date = new Date()): Promise<Migration> {
  const state = await folder.inspect();
  if (state.kind === "space") {
    const isInterrupted = (await exists(folder, BUILD_DIR)) && !(await exists(folder, joinPath(BUILD_DIR, SPACE_DIR)));
    if (isInterrupted) await moveOldParts(folder, now);
    return {
      done: isInterrupted ? "finished" : "none",
      spaceId: state.spaceFile.id,
      opCounts: new Map(),
      files: 0,
      problems: [],
    };
  }
  if (state.kind !== "old-format") throw folder.errorFor(state.kind);
  for (const part of OLD_PARTS) await assertAbsent(folder, joinPath(KEPT_DIR, part));

  const old = await findOldLogs(folder);
  const built = new SpaceFolder(folder.fs, folder.at(BUILD_DIR));
  await folder.fs.remove(built.path);
  await folder.fs.makeDirectory(built.at(OPS_DIR));
  const expected = new OperationTally();
  for (const log of old.logs) {
    const bytes = repairRemovals(await read(folder, log.oldPath));
    const parser = new LogParser({ peerId: log.peerId });
    parser.push(bytes);
    parser.end();
    expected.add(log.treeId, parser.ops);
    await folder.fs.write(built.at(log.path), bytes);
  }
  const secrets = (await folder.fs.read(folder.at("secrets"))) ?? (await folder.fs.read(folder.at("secrets.json")));
  if (secrets) await folder.fs.write(built.at(joinPath(SPACE_DIR, "secrets")), secrets);
  const spaceFile = await read(folder, "space.json");
  const spaceId = parseSpaceFile(new TextDecoder().decode(spaceFile), folder.at("space.json")).id;
  await folder.fs.write(built.at(SPACE_FILE), spaceFile);

  const problems = await assertArrived(built, expected);
  await assertUnchanged(folder, old.logs);
  await assertAbsent(folder, SPACE_DIR);
  await folder.fs.rename(built.at(SPACE_DIR), folder.at(SPACE_DIR));
  await moveOldParts(folder, now);
  return {
    done: "migrated",
    spaceId,
    opCounts: expected.opCounts,
    files: old.logs.length,
    problems: [...old.problems, ...problems],
  };
}

/** A log file of the old space; `path` is where it goes. */
interface OldLog extends LogEntry {
  readonly oldPath: string;
}

async function findOldLogs(folder: SpaceFolder): Promise<{ readonly logs: OldLog[]; readonly problems: Problem[] }> {
  await folder.assertNoLinks(OLD_OPS_DIR);
  const found = await folder.findFiles(OLD_OPS_DIR);
  const unreadable = found.unreadable[0];
  if (unreadable) throw unreadable.error;
  const logs: OldLog[] = [];
  const problems: Problem[] = [];
  const taken = new Set<string>();
  for (const file of found.files) {
    const oldPath = joinPath(OLD_OPS_DIR, file.path);
    const { log, problem } = sortOut(joinPath(OPS_DIR, file.path), file);
    if (problem?.code === "FOLD_NOT_DOWNLOADED") {
      throw new FoldspaceError(problem.code, `${folder.at(oldPath)} has not been downloaded by the sync service yet`, {
        data: { path: folder.at(oldPath) },
      });
    }
    if (!log) {
      if (problem) problems.push({ ...problem, file: joinPath(KEPT_DIR, oldPath) });
      continue;
    }
    const dated = log.path.replace(/\/(\d{4})-(\d{2})-(\d{2})\//, "/$1/$2/$3/");
    const path = taken.has(dated) ? log.path : dated;
    taken.add(path);
    logs.push({ ...log, path, oldPath });
  }
  return { logs, problems };
}

/** Reads what was built as any reader would. @returns its problems */
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

/** What is appended to the old files after they were copied would be lost. */
async function assertUnchanged(folder: SpaceFolder, logs: readonly OldLog[]): Promise<void> {
  const now = await findOldLogs(folder);
  const sizes = new Map(now.logs.map((log) => [log.oldPath, log.size]));
  if (now.logs.length === logs.length && logs.every((log) => sizes.get(log.oldPath) === log.size)) return;
  throw new FoldspaceError(
    "FOLD_BUSY",
    `Something else writes to ${folder.path}: close every app that has it open, and try again; nothing was changed`,
  );
}

async function moveOldParts(folder: SpaceFolder, now: Date): Promise<void> {
  await folder.fs.makeDirectory(folder.at(KEPT_DIR));
  for (const part of OLD_PARTS) {
    if (await exists(folder, part)) await folder.fs.rename(folder.at(part), folder.at(joinPath(KEPT_DIR, part)));
  }
  const names = new Set((await folder.fs.list(folder.path))?.map((entry) => entry.name));
  if (!MARKER_FILES.some((name) => names.has(name))) await folder.fs.write(folder.at(MARKER_FILE), encode(MARKER_TEXT));
  const record = { migratedAt: now.toISOString(), fromVersion: 0, toVersion: 1, status: "completed" };
  await folder.fs.write(folder.at(joinPath(KEPT_DIR, "migrated.json")), encode(`${JSON.stringify(record, undefined, 2)}\n`));
  await folder.fs.remove(folder.at(BUILD_DIR));
}

/** An empty folder is as good as none, and is removed. */
async function assertAbsent(folder: SpaceFolder, part: string): Promise<void> {
  const path = folder.at(part);
  if (!(await folder.fs.stat(path))) return;
  const entries = (await folder.fs.stat(path))?.kind === "directory" ? await folder.fs.list(path) : undefined;
  if (entries?.length === 0) return await folder.fs.remove(path);
  throw new FoldspaceError(
    "FOLD_ALREADY_A_SPACE",
    `${path} stands where the migration would put its result: move it away first; nothing was changed`,
    { data: { path } },
  );
}

async function exists(folder: SpaceFolder, part: string): Promise<boolean> {
  return (await folder.fs.stat(folder.at(part))) !== undefined;
}

async function read(folder: SpaceFolder, part: string): Promise<Uint8Array> {
  const bytes = await folder.fs.read(folder.at(part));
  if (bytes) return bytes;
  throw new FoldspaceError("FOLD_BUSY", `${folder.at(part)} vanished while it was being copied; nothing was changed`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
