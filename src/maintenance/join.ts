import type { Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { canNameLog, encodeLine, logFilePath, LOST_DIR, SPACE_DIR } from "../log/index.ts";
import { compareOpIds } from "../tree/index.ts";
import type { LogEntry, SpaceFolder } from "../layers/folder/space-folder.ts";
import { CheckedChanges } from "./checked-changes.ts";
import { digestOf } from "./repair/digest.ts";
import { findOtherSpaceFiles } from "../layers/folder/other-space-files.ts";
import { findSpaceTrees, findUnjoined, type SpaceTree } from "./space-trees.ts";
import { dayOf } from "./summarize.ts";

/** Options of `joinSpaces`. */
export interface JoinOptions {
  /** Only plans the join, and changes nothing. */
  readonly isDryRun?: boolean;
}

/** The outcome of `joinSpaces`. */
export interface Join {
  readonly spaceId: string;
  /** The spaces that were joined with it, or would be. */
  readonly joined: readonly SpaceTree[];
  /** Relay files written, or to be written, relative to the space's folder. */
  readonly written: readonly string[];
  /** Copies of `space.json` moved to `lost+found`, or to be moved. */
  readonly moved: readonly { readonly from: string; readonly to: string }[];
  /** Operations that could not be joined, and why. */
  readonly left: readonly Problem[];
}

/**
 * Joins spaces that began in one folder before it was synced for the first time: the space that `space.json` names gets all
 * contents of the other ones, including their references to app trees. Nothing is removed. The operations keep their ids, and
 * the names and contents of the relay files depend only on them, so that devices that join at once write the same files. What
 * arrives for the other space later is joined by the next call.
 * @throws FoldspaceError as `SpaceFolder.open`, and errors of the file system
 */
export async function joinSpaces(folder: SpaceFolder, { isDryRun = false }: JoinOptions = {}): Promise<Join> {
  const { id: spaceId } = await folder.open();
  const changes = new CheckedChanges(folder);
  const { logs, problems, outOfReach } = await folder.scan();
  const others = (await findSpaceTrees(folder, logs)).filter((tree) => tree.spaceId !== spaceId);
  const joined: SpaceTree[] = [];
  const written: string[] = [];
  // what cannot be read at present may belong to any space
  const left: Problem[] =
    outOfReach.length > 0 ? problems.filter(({ file }) => file !== undefined && !logs.some(({ path }) => path === file)) : [];
  for (const other of others) {
    const unjoined = await findUnjoined(folder, logs, other.spaceId, spaceId, (problem) => left.push(problem));
    if (unjoined.size > 0) joined.push(other);
    for (const [log, ops] of unjoined) {
      const text = ops
        .toSorted((a, b) => compareOpIds(a.id, b.id))
        .map((op) => `${encodeLine(op)}\n`)
        .join("");
      const bytes = new TextEncoder().encode(text);
      const file = await relayPath(spaceId, log, bytes);
      if (file === undefined) {
        const reason = `${ops.length} operations cannot be joined: the id of their peer cannot name a file`;
        left.push({ code: "FOLD_BAD_ID", reason, file: log.path, treeId: log.treeId });
        continue;
      }
      if (!isDryRun) await changes.write(file, bytes);
      written.push(file);
    }
  }
  const moved: { from: string; to: string }[] = [];
  for (const { file, spaceId: other } of await findOtherSpaceFiles(folder, spaceId, (problem) => left.push(problem))) {
    // the operations of that space may not have arrived
    if (left.length > 0 || !others.some((tree) => tree.spaceId === other)) continue;
    const to = joinPath(LOST_DIR, `joined-${other}`, file.slice(SPACE_DIR.length + 1));
    if (isDryRun || (await changes.moveFileToFree(file, to))) moved.push({ from: file, to });
  }
  return { spaceId, joined, written, moved, left };
}

/** A relay file whose writer's id is a function of its content. @returns `undefined` if the peer's id cannot name a file */
async function relayPath(treeId: string, { path, peerId }: LogEntry, bytes: Uint8Array): Promise<string | undefined> {
  const writerId = (await digestOf(bytes)).slice(0, 32);
  if (!canNameLog(treeId, peerId, writerId)) return undefined;
  return logFilePath(treeId, peerId, writerId, new Date(dayOf(path) ?? 0));
}
