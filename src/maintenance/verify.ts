import { errorCode, FoldspaceError, type FoldspaceErrorCode, type Problem } from "../errors.ts";
import { IdPool } from "../log/line.ts";
import { encodeLine, SPACE_FILE, treeDir } from "../log/index.ts";
import { OpIdSet, type VertexOperation } from "../tree/index.ts";
import { operationsByLine, readEntry, type ReadingProgress } from "./read-entry.ts";
import type { LogEntry, SpaceFolder } from "../layers/folder/space-folder.ts";
import { findOtherSpaces, findSpaceTrees, SpaceTreeFinder } from "./space-trees.ts";
import { UnreadLogs } from "./unread-logs.ts";
import { findSecretsProblems } from "./verify-secrets.ts";

/** Callbacks for events besides the problems while a folder is examined. */
export interface ExaminationListener {
  readonly onProgress?: ((progress: ReadingProgress) => void) | undefined;
  /** Gets all readable operations, including repeated ones. */
  readonly onOperations?: (treeId: string, ops: readonly VertexOperation[]) => void;
}

/**
 * Finds all problems of a space's folder, and changes nothing. A bad `space.json` is a problem and does not stop the
 * examination. Operations that no reader finds are problems, too: those that only `lost+found` contains, and those of
 * version 0 beside the space. A missing bin, and trees without references, are not problems. `explainProblem` explains one.
 *
 * Memory is bounded by one peer's operations of the largest tree, the number of repeated ones among them, and the ids of the
 * roots' children.
 * @throws FoldspaceError if the folder has no space: `FOLD_NOT_FOUND`, `FOLD_NOT_A_FOLDER`, `FOLD_NOT_A_SPACE`, `FOLD_OLD_FORMAT`
 */
export function verifyFolder(folder: SpaceFolder, onProgress?: (progress: ReadingProgress) => void): AsyncGenerator<Problem> {
  return examineFolder(folder, { onProgress });
}

/** Like {@link verifyFolder}, for callers that also need the operations. */
export async function* examineFolder(
  folder: SpaceFolder,
  { onProgress, onOperations }: ExaminationListener,
): AsyncGenerator<Problem> {
  const { logs, problems } = await folder.scan();
  const opened = await openDespiteProblems(folder, logs);
  if (opened.problem) yield opened.problem;
  yield* problems;
  let filesRead = 0;
  let opsRead = 0;
  const unread = await UnreadLogs.find(folder);
  const trees = groupByTree(logs);
  const spaceTrees = new SpaceTreeFinder();
  if (opened.spaceId !== undefined && !trees.has(opened.spaceId)) trees.set(opened.spaceId, new Map());
  for (const [treeId, peers] of trees) {
    const ids = new IdPool();
    let hasRoot = false;
    for (const [peerId, peerLogs] of peers) {
      const known = new OpIdSet();
      const repeated = new Set<number>();
      const torn: Problem[] = [];
      const read: LogEntry[] = [];
      for (const log of peerLogs) {
        let [opsInFile, newInFile] = [0, 0];
        for await (const part of readEntry(folder, log, { ids })) {
          // other files of the peer, which are read later, may contain the torn operation
          for (const problem of part.problems)
            if (problem.counter === undefined) yield problem;
            else torn.push(problem);
          for (const op of part.ops) {
            if (known.add(op.id)) newInFile++;
            else repeated.add(op.id.counter);
            if (op.targetId === treeId && "parentId" in op) hasRoot = true;
          }
          opsInFile += part.ops.length;
          spaceTrees.add(treeId, part.ops);
          onOperations?.(treeId, part.ops);
        }
        if (opsInFile > 0) read.push(log);
        opsRead += newInFile;
        onProgress?.({ filesRead: ++filesRead, files: logs.length, opsRead });
      }
      for (const problem of torn) yield known.has({ counter: problem.counter!, peerId }) ? asSafe(problem) : problem;
      if (repeated.size > 0) yield* findCollisions(folder, read, repeated);
      yield* unread.findMissing(treeId, peerId, known);
    }
    if (!hasRoot) yield noRoot(treeId);
  }
  yield* unread.findMissing();
  if (opened.spaceId !== undefined) yield* await findOtherSpaces(folder, opened.spaceId, logs, spaceTrees.found);
  if (opened.spaceId !== undefined) yield* await findSecretsProblems(folder, opened.spaceId);
}

function asSafe(problem: Problem): Problem {
  return { ...problem, reason: `${problem.reason}; another line contains the whole operation`, isLossless: true };
}

/** Errors of `space.json` that do not keep the rest of the folder from being examined. */
const OF_SPACE_FILE: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_BAD_SPACE_FILE",
  "FOLD_LINKED_FILE",
  "FOLD_NOT_DOWNLOADED",
]);

async function openDespiteProblems(
  folder: SpaceFolder,
  logs: readonly LogEntry[],
): Promise<{ readonly spaceId?: string; readonly problem?: Problem }> {
  try {
    return { spaceId: (await folder.open()).id };
  } catch (error) {
    const code = errorCode(error);
    if (!(error instanceof FoldspaceError) || code === undefined || !OF_SPACE_FILE.has(code)) throw error;
    const told = code === "FOLD_BAD_SPACE_FILE" ? await findSpaceTrees(folder, logs) : [];
    const ids = told.map(({ spaceId }) => spaceId);
    const reason = `${error.message.replace(`${folder.at(SPACE_FILE)}: `, "")}${describeIds(ids)}`;
    const { line } = error.data;
    const problem = { code: error.code, reason, file: SPACE_FILE, ...(typeof line === "number" ? { line } : {}) };
    return { problem, ...(ids.length === 1 && { spaceId: ids[0]! }) };
  }
}

function describeIds(ids: readonly string[]): string {
  if (ids.length === 0) return "";
  if (ids.length === 1)
    return `; the operations in the folder are of the space ${ids[0]}: "foldspace repair" writes the file again`;
  return `; the operations in the folder are of several spaces: ${ids.join(", ")}`;
}

function noRoot(treeId: string): Problem {
  return {
    code: "FOLD_NO_ROOT",
    reason: "the operation that creates the tree's root is missing: the tree cannot be shown until its file arrives",
    file: treeDir(treeId),
    treeId,
  };
}

/**
 * Compares operations that the files contain more than once. Equal content is fine, because sync services and relays repeat
 * files. Different content means that two writers shared a peer id.
 */
async function* findCollisions(
  folder: SpaceFolder,
  logs: readonly LogEntry[],
  counters: ReadonlySet<number>,
): AsyncGenerator<Problem> {
  const firsts = new Map<number, { readonly text: string; readonly place: string }>();
  for (const log of logs) {
    const { path: file, peerId, treeId } = log;
    for await (const { op, line } of operationsByLine(folder, log)) {
      const { counter } = op.id;
      if (!counters.has(counter)) continue;
      const text = encodeLine(op);
      const first = firsts.get(counter);
      if (!first) firsts.set(counter, { text, place: `${file}:${line}` });
      else if (first.text !== text) {
        const reason = `operation ${counter} of peer ${peerId} has other content in ${first.place}, so devices may show either`;
        yield { code: "FOLD_ID_COLLISION", reason, file, line, treeId };
      }
    }
  }
}

/** Groups logs by tree, then by peer, in the order of their ids; the files of each in the order of their paths. */
export function groupByTree(logs: readonly LogEntry[]): Map<string, Map<string, LogEntry[]>> {
  const trees = new Map<string, Map<string, LogEntry[]>>();
  for (const log of logs.toSorted(byTreeAndPeer)) {
    let peers = trees.get(log.treeId);
    if (!peers) trees.set(log.treeId, (peers = new Map()));
    const files = peers.get(log.peerId);
    if (files) files.push(log);
    else peers.set(log.peerId, [log]);
  }
  return trees;
}

function byTreeAndPeer(a: LogEntry, b: LogEntry): number {
  return compare(a.treeId, b.treeId) || compare(a.peerId, b.peerId) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
