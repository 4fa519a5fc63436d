import { SpaceCopy, type SpaceCopyOptions } from "foldspace";
import { isStorageAllowed } from "./browser-settings.ts";
import type { LockedFolder, OpenFolder } from "./folder-source.ts";
import { folderSource } from "./folder-sources.ts";
import type { Session } from "./session.svelte.ts";

/** @throws FoldspaceError if the folder cannot have the copy; nothing is written in it yet */
export async function openCopy(
  { space, folder: notes }: Session,
  folder: OpenFolder,
  options: Pick<SpaceCopyOptions, "onUpdated" | "onFailed" | "pause">,
): Promise<SpaceCopy> {
  const own = notes.kind === "open" && !notes.isGiven ? notes.folder : undefined;
  return await SpaceCopy.open(space, { ...options, ...(await folderSource.placeForCopy(folder, own)) });
}

/** Remembers the folder of a space's readable copy, if this browser may store anything. */
export async function rememberCopyFolder(spaceId: string, folder: OpenFolder): Promise<void> {
  if (isStorageAllowed()) await folderSource.remember(keyOf(spaceId), folder);
}

export async function recallCopyFolder(spaceId: string): Promise<OpenFolder | LockedFolder | undefined> {
  return canRecall() ? await folderSource.recall(keyOf(spaceId)) : undefined;
}

export async function forgetCopyFolder(spaceId: string): Promise<void> {
  if (canRecall()) await folderSource.forget(keyOf(spaceId));
}

/** Even to look would make a database in the browser. */
function canRecall(): boolean {
  return isStorageAllowed() && folderSource.obstacle === undefined;
}

function keyOf(spaceId: string): string {
  return `copy:${spaceId}`;
}
