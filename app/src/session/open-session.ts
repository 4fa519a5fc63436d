import { errorCode, SpaceFolder } from "foldspace";
import { SpaceRegistry, type SpaceRecord } from "foldspace/indexeddb";
import { recall } from "./browser-memory.ts";
import { folderOfWindow } from "./desktop-window.ts";
import type { OpenFolder } from "./folder-source.ts";
import { folderSource } from "./folder-sources.ts";
import { findServedSpace } from "./served-space.ts";
import { Session } from "./session.svelte.ts";

export interface Opening {
  readonly session: Session;
  /** Whether the space was made just now, and has nothing in it. */
  readonly isNew: boolean;
  /** Why the folder that this page is served with could not be had: the space was opened from the browser. */
  readonly servedFailure?: unknown;
}

/**
 * Opens the space that belongs to this page: that of the folder that is served or that the window is for, else the one that was open last, else any that
 * this browser has, else a new one.
 * @param shown settles when there is something to see
 * @throws FoldspaceError where the browser keeps nothing and there is no folder
 */
export async function openSession(shown: Promise<unknown>): Promise<Opening> {
  const own = await folderOfWindow();
  if (own) return await openFolder(own);
  let servedFailure: unknown;
  try {
    const served = await findServedSpace();
    if (served) {
      const session = await Session.open({ id: served.id }, { given: { folder: served.folder, isGiven: true }, shown });
      return { session, isNew: false };
    }
  } catch (error) {
    // of a folder that cannot be had now, the browser may have the space
    if (!isServerTrouble(error)) throw error;
    servedFailure = error;
  }
  const isAway = servedFailure !== undefined;
  const last = recall("space");
  const spaces = await listSpaces();
  const known = spaces.find(({ id }) => id === last) ?? spaces[0];
  if (known) return { session: await Session.open(known, { shown, isAway }), isNew: false, servedFailure };
  if (isAway) throw servedFailure;
  return { session: await Session.create("My notes"), isNew: true };
}

/**
 * Opens the space that a folder holds; where it holds none, a new one is made in it.
 * @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_OLD_FORMAT`, and why else it could not
 */
export async function openFolder(folder: OpenFolder): Promise<Opening> {
  const spaceFolder = new SpaceFolder(folder.fs, folder.path);
  const state = await spaceFolder.inspect();
  if (state.kind === "absent" || state.kind === "old-format") throw spaceFolder.errorFor(state.kind);
  if (state.kind === "space") {
    const { id } = state.spaceFile;
    const session = await Session.open({ id }, { given: { folder, isGiven: false } });
    await folderSource.remember(id, folder);
    return { session, isNew: false };
  }
  // a folder in which a space has its files: that of the space is the one above
  if (/(^|[\\/])space-v\d+$/.test(folder.path)) throw spaceFolder.errorFor("empty");
  const session = await Session.create(folder.label.split(/[\\/]/).findLast((part) => part !== "") ?? "My notes");
  await session.attach(folder);
  return { session, isNew: true };
}

/** The spaces that this browser has, the newest first. */
export async function listSpaces(): Promise<SpaceRecord[]> {
  const registry = new SpaceRegistry();
  try {
    return await registry.list();
  } finally {
    registry.close();
  }
}

function isServerTrouble(error: unknown): boolean {
  const code = errorCode(error);
  return code === "FOLD_FOLDER_LOST" || code === "FOLD_UNAVAILABLE";
}
