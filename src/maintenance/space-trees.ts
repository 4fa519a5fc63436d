import type { Problem } from "../errors.ts";
import { findOtherSpaceFiles } from "../layers/folder/other-space-files.ts";
import { APP_FOREST_NAME, encodeLine, treeDir } from "../log/index.ts";
import type { LogEntry, SpaceFolder } from "../layers/folder/space-folder.ts";
import { isAnyPropertyOp, NAME_KEY, OLD_NAME_KEY, OpIdSet, opIdToString, type VertexOperation } from "../tree/index.ts";
import { readEntry } from "./read-entry.ts";

const TREE_ID_KEY = "tid";

/** A tree that names the app trees of a space. A folder should have one. */
export interface SpaceTree {
  readonly spaceId: string;
  readonly name: string | undefined;
  /** Number of its distinct operations. */
  readonly operations: number;
}

/**
 * Finds the space trees in the logs of a folder: the trees with a vertex `app-forest` below their root that no other such tree
 * names as its app tree. The order is that of their ids.
 */
export async function findSpaceTrees(folder: SpaceFolder, logs: readonly LogEntry[]): Promise<SpaceTree[]> {
  const finder = new SpaceTreeFinder();
  for (const log of logs) for await (const { ops } of readEntry(folder, log)) finder.add(log.treeId, ops);
  return finder.found;
}

interface FoundTree {
  readonly ids: OpIdSet;
  name: string | undefined;
  /** Vertices named `app-forest`. */
  readonly forests: Set<string>;
  /** Vertices that were once children of the root. */
  readonly belowRoot: Set<string>;
  /** Ids of the app trees that the tree may name. */
  readonly appTrees: Set<string>;
}

function newTree(): FoundTree {
  return { ids: new OpIdSet(), name: undefined, forests: new Set(), belowRoot: new Set(), appTrees: new Set() };
}

/** Recognizes space trees by their operations. */
export class SpaceTreeFinder {
  readonly #trees = new Map<string, FoundTree>();

  add(treeId: string, ops: readonly VertexOperation[]): void {
    let tree = this.#trees.get(treeId);
    if (!tree) this.#trees.set(treeId, (tree = newTree()));
    for (const op of ops) {
      tree.ids.add(op.id);
      if (!isAnyPropertyOp(op) && op.parentId === treeId) tree.belowRoot.add(op.targetId);
      if (isAnyPropertyOp(op) && op.key === TREE_ID_KEY && typeof op.value === "string") tree.appTrees.add(op.value);
      if (!isAnyPropertyOp(op) || (op.key !== OLD_NAME_KEY && op.key !== NAME_KEY)) continue;
      if (op.value === APP_FOREST_NAME) tree.forests.add(op.targetId);
      else if (op.targetId === treeId && typeof op.value === "string") tree.name = op.value;
    }
  }

  get found(): SpaceTree[] {
    const found = [...this.#trees].filter(([, { forests, belowRoot }]) => [...forests].some((id) => belowRoot.has(id)));
    const isAppTree = (id: string): boolean => found.some(([spaceId, { appTrees }]) => spaceId !== id && appTrees.has(id));
    return found
      .flatMap(([spaceId, { ids, name }]) => (isAppTree(spaceId) ? [] : { spaceId, name, operations: ids.size }))
      .sort((a, b) => (a.spaceId < b.spaceId ? -1 : 1));
  }
}

/**
 * Maps an operation of another space's tree to the tree of the space that it joins. The root itself keeps the properties that
 * it has there.
 * @returns `undefined` for operations on the root
 */
function toJoinedOp(op: VertexOperation, from: string, to: string): VertexOperation | undefined {
  if (op.targetId === from) return undefined;
  return "parentId" in op && op.parentId === from ? { ...op, parentId: to } : op;
}

/** Finds the operations of another space's tree that the tree of this space lacks, by the log that contains them. */
export async function findUnjoined(
  folder: SpaceFolder,
  logs: readonly LogEntry[],
  from: string,
  to: string,
  onProblem: (problem: Problem) => void = () => undefined,
): Promise<Map<LogEntry, VertexOperation[]>> {
  const wanted = new OpIdSet();
  for (const log of logs)
    if (log.treeId === from) for await (const { ops } of readEntry(folder, log)) for (const { id } of ops) wanted.add(id);
  // a peer that wrote in both trees made different operations under one id: every device that gets both makes them again
  const known = new Map<string, Set<string>>();
  const isNew = (op: VertexOperation): boolean => {
    const [id, line] = [opIdToString(op.id), encodeLine(op)];
    const lines = known.get(id) ?? new Set();
    known.set(id, lines);
    return !lines.has(line) && lines.add(line) === lines;
  };
  for (const log of logs)
    if (log.treeId === to)
      for await (const { ops } of readEntry(folder, log)) for (const op of ops) if (wanted.has(op.id)) isNew(op);
  const unjoined = new Map<LogEntry, VertexOperation[]>();
  for (const log of logs) {
    if (log.treeId !== from) continue;
    const missing: VertexOperation[] = [];
    for await (const { ops, problems } of readEntry(folder, log)) {
      for (const problem of problems) onProblem(problem);
      for (const op of ops) {
        const joined = toJoinedOp(op, from, to);
        if (joined && isNew(joined)) missing.push(joined);
      }
    }
    if (missing.length > 0) unjoined.set(log, missing);
  }
  return unjoined;
}

/** Finds other spaces in a folder that have not been joined with its space. @param trees as {@link findSpaceTrees} found them */
export async function findOtherSpaces(
  folder: SpaceFolder,
  spaceId: string,
  logs: readonly LogEntry[],
  trees: readonly SpaceTree[],
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const files = await findOtherSpaceFiles(folder, spaceId, (problem) => problems.push(problem));
  const own = describeTree(spaceId, trees);
  const others = new Set([...trees.map((tree) => tree.spaceId), ...files.map((file) => file.spaceId)]);
  others.delete(spaceId);
  for (const other of others) {
    const file = files.find((each) => each.spaceId === other)?.file;
    const isJoined = (await findUnjoined(folder, logs, other, spaceId)).size === 0;
    // the copy of space.json is left to be moved away
    if (isJoined && file === undefined) continue;
    const reason = `two spaces began in this folder: beside ${own} there is another space, ${describeTree(other, trees)}`;
    problems.push({ code: "FOLD_TWO_SPACES", reason, file: file ?? treeDir(other), treeId: other });
  }
  return problems;
}

function describeTree(spaceId: string, trees: readonly SpaceTree[]): string {
  const tree = trees.find((each) => each.spaceId === spaceId);
  if (!tree) return `${spaceId} (no operations here yet)`;
  const name = tree.name === undefined ? "" : `${JSON.stringify(tree.name)}, `;
  return `${spaceId} (${name}${tree.operations} operations)`;
}
