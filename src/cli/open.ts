import { systemClock } from "../clock.ts";
import type { Problem } from "../errors.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { listReferences } from "../space/app-forest.ts";
import type { SpaceOptions } from "../space/space-options.ts";
import type { Space } from "../space/space.ts";
import { SpaceManager } from "../space/space-manager.ts";
import { openTrace } from "../trace.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import type { Context } from "./context.ts";
import { count } from "./output.ts";
import { peerPoolOf } from "./peer-pool.ts";
import { commandTrace } from "./trace.ts";

/** A tree as a space lists it. */
export interface TreeListing {
  readonly id: string;
  readonly title: string | undefined;
}

/** A space that is only read: nothing is written into its folder, and nothing is watched unless requested. */
export interface OpenedSpace {
  readonly id: string;
  readonly layer: FileSystemPersistenceLayer;
  readonly spaceTree: ReplicatedTree;
  /** The trees that have operations here: the space tree, then the others by id. */
  readonly trees: readonly TreeListing[];
  /** Problems of the search for files, including unreadable folders. */
  readonly nameProblems: readonly Problem[];
  /** Also returns a tree whose root is missing. */
  loadTree(treeId: string): Promise<ReplicatedTree>;
}

export async function openForReading(context: Context, directory: string): Promise<OpenedSpace> {
  const folder = context.folder(directory);
  const { id } = await folder.open();
  const layer = new FileSystemPersistenceLayer(folder.path, id, { fs: context.environment.fs });
  const peerId = newId();
  const trace = openTrace([commandTrace(context)], { spaceId: id, peerId: () => peerId, clock: systemClock });
  await layer.connect({ peerId, trace: trace?.ofLayer(layer.id) });
  const load = async (treeId: string): Promise<ReplicatedTree> =>
    // a reader makes no operations, so any peer id will do
    new ReplicatedTree("reader", await layer.loadTreeOps(treeId), { rootId: treeId });
  const spaceTree = await load(id);
  const titles = new Map(listReferences(spaceTree).map(({ treeId, name }) => [treeId, name]));
  const trees: TreeListing[] = [{ id, title: spaceTree.root?.name }];
  const { logs, problems } = await folder.scan();
  const treeIds = new Set(logs.map((log) => log.treeId));
  for (const treeId of [...treeIds].sort()) if (treeId !== id) trees.push({ id: treeId, title: titles.get(treeId) });
  return {
    id,
    layer,
    spaceTree,
    trees,
    nameProblems: problems,
    loadTree: async (treeId) => (treeId === id ? spaceTree : await load(treeId)),
  };
}

/** Notes on stderr that the folder has problems. */
export async function noteProblems(context: Context, directory: string, { layer, nameProblems }: OpenedSpace): Promise<void> {
  const all = [...nameProblems, ...layer.problems];
  const { size } = new Set(all.map(({ file, line, code }) => `${file}:${line} ${code}`));
  if (size > 0)
    await context.output.note(`foldspace: ${count(size, "problem")} in this folder, see: foldspace verify ${directory}`);
}

/** Options for a space that is edited. */
export function sessionOptions(context: Context): SpaceOptions {
  return { trace: commandTrace(context), peerPool: peerPoolOf(context.environment) };
}

/**
 * Opens a space, runs an edit, and closes the space when every operation is in the folder.
 * @throws FoldspaceError `FOLD_NOT_DURABLE`, and the errors of opening and editing
 */
export async function editSpace<T>(context: Context, directory: string, edit: (space: Space) => Promise<T>): Promise<T> {
  const folder = context.folder(directory);
  const { id } = await folder.open();
  const manager = new SpaceManager(sessionOptions(context));
  const space = await manager.loadSpace({ id }, [
    new FileSystemPersistenceLayer(folder.path, id, { fs: context.environment.fs }),
  ]);
  try {
    return await edit(space);
  } finally {
    await manager.closeSpace(id);
  }
}
