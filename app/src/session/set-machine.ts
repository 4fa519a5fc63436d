import type { Machine } from "foldspace/bridge";
import type { SpaceRecord } from "foldspace/indexeddb";
import { deleteAll, hasNotes } from "./browser-storage.ts";
import { machine } from "./machine.svelte.ts";
import { keepFiles } from "./offline-files.ts";
import { listSpaces } from "./open-session.ts";
import type { Session } from "./session.svelte.ts";

/**
 * Does what follows from who uses this computer: the browser keeps the notes and the app, or nothing at all.
 * @throws FoldspaceError `FOLD_NOT_DURABLE` where the folder lacks something that would be deleted; then nothing is changed
 */
export async function setMachine(session: Session, use: Machine): Promise<void> {
  if (use === "shared") {
    const wasInBrowser = session.isInBrowser;
    await session.leaveBrowser();
    machine.set(use);
    await deleteAll();
    // what this page has in its memory may not be put back: it begins again without
    if (wasInBrowser) location.reload();
    return;
  }
  machine.set(use);
  await session.keepInBrowser();
  await keepFiles();
}

/** Notes that this browser keeps beside those that are open: on a shared computer they would be deleted. */
export async function otherNotes(session: Session): Promise<SpaceRecord[]> {
  if (!(await hasNotes())) return [];
  return (await listSpaces()).filter(({ id }) => id !== session.space.id);
}
