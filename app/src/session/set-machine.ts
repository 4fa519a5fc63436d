import type { Machine } from "foldspace/bridge";
import type { SpaceRecord } from "foldspace/indexeddb";
import { deleteAll, hasNotes } from "./browser-storage.ts";
import { machine } from "./machine.svelte.ts";
import { keepFiles } from "./offline-files.ts";
import { listSpaces } from "./open-session.ts";
import type { Session } from "./session.svelte.ts";

/**
 * Applies the answer who uses this computer: the browser stores the notes and the app, or nothing at all.
 * @throws FoldspaceError `FOLD_NOT_DURABLE` if the folder lacks changes that would be deleted; if so, nothing is changed
 */
export async function setMachine(session: Session, use: Machine): Promise<void> {
  if (use === "shared") {
    const wasInBrowser = session.isInBrowser;
    await session.leaveBrowser();
    machine.set(use);
    await deleteAll();
    // the page must not write the data in its memory back: it reloads without them
    if (wasInBrowser) location.reload();
    return;
  }
  machine.set(use);
  await session.keepInBrowser();
  await keepFiles();
}

/** Other notes in this browser, besides the open ones: on a shared computer they would be deleted. */
export async function otherNotes(session: Session): Promise<SpaceRecord[]> {
  if (!(await hasNotes())) return [];
  return (await listSpaces()).filter(({ id }) => id !== session.space.id);
}
