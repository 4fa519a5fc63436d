import { errorCode, errorMessage } from "../errors.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { CopyKeeper } from "../readable/copy-keeper.ts";
import { ReadableCopy, type CopyReport } from "../readable/readable-copy.ts";
import { pagesToCopy } from "../readable/space-pages.ts";
import { TakenTrees } from "../readable/taken-trees.ts";
import type { ReplicatedTree } from "../tree/index.ts";
import type { Context } from "./context.ts";
import { follow } from "./follow.ts";
import type { OpenedSpace } from "./open.ts";
import { count, printable } from "./output.ts";

/**
 * Makes a readable copy of a space, or brings one up to date.
 * @param to folder of the copy, as the user named it
 */
export async function makeCopy(context: Context, directory: string, space: OpenedSpace, to: string): Promise<void> {
  const copy = await openCopy(context, directory, space.id, to);
  const loaded = new Map<string, ReplicatedTree>();
  for (const { id } of space.trees) loaded.set(id, await space.loadTree(id));
  const report = await copy.update(await pagesToCopy(space.spaceTree, (treeId) => loaded.get(treeId)));
  await noteLeft(context, report);
  await context.output.note(`Copied to ${copy.path}: ${describe(report)}`);
}

/**
 * Keeps a readable copy of a space up to date.
 * @param end resolves when that is to end
 * @returns resolves when the folder has proven fit for it, with a promise of the end
 * @throws FoldspaceError where there can be no copy in that folder
 */
export async function keepCopy(
  context: Context,
  directory: string,
  spaceId: string,
  to: string,
  end: Promise<void>,
): Promise<{ readonly ended: Promise<void> }> {
  const copy = await openCopy(context, directory, spaceId, to);
  const layer = new FileSystemPersistenceLayer(context.folder(directory).path, spaceId, { fs: context.environment.fs });
  await layer.connect();
  return { ended: keep(context, copy, layer, spaceId, end) };
}

async function keep(
  context: Context,
  copy: ReadableCopy,
  layer: FileSystemPersistenceLayer,
  spaceId: string,
  end: Promise<void>,
): Promise<void> {
  const { output } = context;
  const trees = new TakenTrees();
  const keeper = new CopyKeeper({
    copy,
    source: { spaceId, treeOf: (treeId) => trees.get(treeId) },
    onUpdated: (report) => void noteLeft(context, report),
    onFailed: (error) =>
      void output.note(`foldspace: the readable copy could not be brought up to date: ${describeError(error)}`),
  });
  try {
    for await (const event of follow(layer, end)) {
      if (event.kind === "ops") {
        trees.take(event.treeId, event.ops);
        keeper.noteChange(event.treeId);
      } else if (event.kind === "ready") {
        await keeper.begin();
        await output.note(`keeping a readable copy in ${copy.path}`);
      } else await output.note(`foldspace: ${printable(event.problem.reason)} (${event.problem.code})`);
    }
  } finally {
    await keeper.close();
  }
}

async function openCopy(context: Context, directory: string, spaceId: string, to: string): Promise<ReadableCopy> {
  return await ReadableCopy.open(context.environment.fs, context.path(to), spaceId, context.folder(directory).path);
}

async function noteLeft({ output }: Context, { left }: CopyReport): Promise<void> {
  for (const name of left) {
    await output.note(
      `foldspace: ${printable(name)} was changed by others: it stays as it is, and is no longer part of the copy`,
    );
  }
}

function describe({ written, removed }: CopyReport): string {
  if (written.length + removed.length === 0) return "it was up to date";
  return `${count(written.length, "file")} written, ${removed.length} removed`;
}

function describeError(error: unknown): string {
  return `${printable(errorMessage(error))} (${errorCode(error) ?? "FOLD_IO"})`;
}
