import { errorCode, FoldspaceError, type Problem } from "../../errors.ts";
import { IdPool } from "../../log/line.ts";
import { encodeLine, LogParser, SPACE_FILE, treeDir } from "../../log/index.ts";
import { VersionVector, type VertexOperation } from "../../tree/index.ts";
import { readEntry, type ReadingProgress } from "./read-entry.ts";
import type { LogEntry, SpaceFolder } from "./space-folder.ts";

/**
 * Finds everything that is wrong in a space's folder, and changes nothing. A bad `space.json` is one more problem:
 * the rest is looked at all the same. A missing bin, and trees that nothing references, are no problems.
 *
 * Memory is bounded by the largest tree's operations of one peer, and by how many of them stand there twice.
 * @throws FoldspaceError where there is no space at all: `FOLD_NOT_FOUND`, `FOLD_NOT_A_FOLDER`, `FOLD_NOT_A_SPACE`, `FOLD_OLD_FORMAT`
 */
export async function* verifyFolder(
  folder: SpaceFolder,
  onProgress?: (progress: ReadingProgress) => void,
): AsyncGenerator<Problem> {
  const opened = await openDespiteProblems(folder);
  if (opened.problem) yield opened.problem;
  const { logs, problems } = await folder.scan();
  yield* problems;
  let filesRead = 0;
  let opsRead = 0;
  const trees = groupBy(logs.sort(byTreeAndPeer), (log) => log.treeId);
  if (opened.spaceId !== undefined && !trees.has(opened.spaceId)) trees.set(opened.spaceId, []);
  for (const [treeId, treeLogs] of trees) {
    const ids = new IdPool();
    let hasRoot = false;
    for (const peerLogs of groupBy(treeLogs, (log) => log.peerId).values()) {
      const known = new VersionVector();
      const repeated = new Set<number>();
      const read: LogEntry[] = [];
      for (const log of peerLogs) {
        const reading = await readEntry(folder, log, { ids });
        yield* reading.problems;
        for (const op of reading.ops) {
          if (!known.add(op.id)) repeated.add(op.id.counter);
          if (op.targetId === treeId && "parentId" in op) hasRoot = true;
        }
        if (reading.ops.length > 0) read.push(log);
        opsRead += reading.ops.length;
        onProgress?.({ filesRead: ++filesRead, files: logs.length, opsRead });
      }
      if (repeated.size > 0) yield* findCollisions(folder, read, repeated);
    }
    if (!hasRoot) yield noRoot(treeId);
  }
}

async function openDespiteProblems(folder: SpaceFolder): Promise<{ readonly spaceId?: string; readonly problem?: Problem }> {
  try {
    return { spaceId: (await folder.open()).id };
  } catch (error) {
    const code = errorCode(error);
    if (!(error instanceof FoldspaceError) || (code !== "FOLD_BAD_SPACE_FILE" && code !== "FOLD_NOT_DOWNLOADED")) throw error;
    const reason = error.message.replace(`${folder.at(SPACE_FILE)}: `, "");
    const { line } = error.data;
    return { problem: { code: error.code, reason, file: SPACE_FILE, ...(typeof line === "number" ? { line } : {}) } };
  }
}

function noRoot(treeId: string): Problem {
  return {
    code: "FOLD_NO_ROOT",
    reason: "the operation that creates the tree's root is missing: the tree cannot be shown until it arrives",
    file: treeDir(treeId),
    treeId,
  };
}

/**
 * Compares operations that stand in the files more than once. The same content is fine, as sync services and relays
 * repeat files; different content means that two writers shared a peer id.
 */
async function* findCollisions(
  folder: SpaceFolder,
  logs: readonly LogEntry[],
  counters: ReadonlySet<number>,
): AsyncGenerator<Problem> {
  const firsts = new Map<number, { readonly text: string; readonly place: string }>();
  for (const { path: file, peerId, treeId } of logs) {
    for await (const { op, line } of operationsByLine(folder, file, peerId)) {
      const { counter } = op.id;
      if (!counters.has(counter)) continue;
      const text = encodeLine(op);
      const first = firsts.get(counter);
      if (!first) firsts.set(counter, { text, place: `${file}:${line}` });
      else if (first.text !== text) {
        const reason = `operation ${counter} of peer ${peerId} stands in ${first.place} with other content, so devices may show either`;
        yield { code: "FOLD_ID_COLLISION", reason, file, line, treeId };
      }
    }
  }
}

const LF = 10;

async function* operationsByLine(
  folder: SpaceFolder,
  file: string,
  peerId: string,
): AsyncGenerator<{ readonly op: VertexOperation; readonly line: number }> {
  const bytes = await folder.fs.read(folder.at(file));
  if (!bytes) return;
  const parser = new LogParser({ peerId });
  let seen = 0;
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    parser.push(bytes.subarray(start, end));
    if (newline === -1) parser.end();
    if (parser.ops.length > seen) yield { op: parser.ops[seen++]!, line };
    start = end;
  }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function byTreeAndPeer(a: LogEntry, b: LogEntry): number {
  return compare(a.treeId, b.treeId) || compare(a.peerId, b.peerId) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
