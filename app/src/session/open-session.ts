import { errorCode, SpaceFolder, type SpacePointer } from "foldspace";
import { SpaceRegistry, type SpaceRecord } from "foldspace/indexeddb";
import { recall } from "./browser-settings.ts";
import { hasNotes } from "./browser-storage.ts";
import { folderOfWindow, isDesktop } from "./desktop-window.ts";
import type { OpenFolder } from "./folder-source.ts";
import { folderSource } from "./folder-sources.ts";
import { isKnownElsewhere } from "./known-place.ts";
import { machine } from "./machine.svelte.ts";
import { recallServed } from "./served-before.ts";
import { BareAddressError, findServedSpace, servedFolder, type Served } from "./served-space.ts";
import { Session, type OpenOptions } from "./session.svelte.ts";

export interface Opening {
  readonly session: Session;
  /** Whether the space was made just now, and is empty. */
  readonly isNew: boolean;
  /** The reason why the folder that belongs to this page was not available: the space was opened from the browser. */
  readonly servedFailure?: unknown;
}

/**
 * Opens the space that belongs to this page: that of the served folder or of the window's folder, else the one that was open
 * last, else any other of this browser, else a new one.
 * @param shown is fulfilled when there is something to see
 * @throws FoldspaceError if the browser keeps nothing and there is no folder
 * @throws BareAddressError
 */
export async function openSession(shown: Promise<unknown>): Promise<Opening> {
  const served: Served = isDesktop ? { kind: "nothing" } : await findServed();
  machine.begin(served.kind !== "nothing", served.kind === "space" ? served.machine : undefined);
  const own = await folderOfWindow();
  if (own) return await openFolder(own);
  if (served.kind === "space") return { session: await openServed(served, shown), isNew: served.isNew };
  if (served.kind === "away") return await openWithoutServer(served, shown);
  const last = recall("space");
  const spaces = await listSpaces();
  const known = spaces.find(({ id }) => id === last) ?? spaces[0];
  if (known) return { session: await Session.open(known, { shown }), isNew: false };
  return { session: await Session.create("My notes"), isNew: true };
}

/** The page of another server does not open without a folder either, unless it has notes here. */
async function findServed(): Promise<Served> {
  const served = await findServedSpace();
  const isUnknown = served.kind === "away" && !served.bridge && errorCode(served.failure) === "FOLD_FOLDER_LOST";
  return isUnknown && recall("machine") === undefined && (await hasNotes()) ? { kind: "nothing" } : served;
}

async function openServed({ id, folder }: Served & { kind: "space" }, shown: Promise<unknown>): Promise<Session> {
  // the browser's earlier copy may not be in the folder yet, and is deleted only after that
  const keepsInBrowser = machine.keeps || ((await hasNotes()) && (await listSpaces()).some((space) => space.id === id));
  return await openIn({ id }, { given: { folder, isGiven: true }, keepsInBrowser, shown });
}

/**
 * Opens a space together with a folder. If this browser knows the space from another folder, this one may be a copy: it is opened to
 * be read only, and nothing of it reaches the browser, until the user has said what it is.
 */
export async function openIn(pointer: SpacePointer, options: OpenOptions): Promise<Session> {
  const folder = options.given?.folder;
  if (folder && (await isKnownElsewhere(pointer.id, folder))) return await Session.openCopy(pointer.id, options.given);
  return await Session.open(pointer, options);
}

/** Opens the browser's copy of a folder that is not available now. */
async function openWithoutServer({ failure, bridge }: Served & { kind: "away" }, shown: Promise<unknown>): Promise<Opening> {
  // if the folder itself refuses, the server is not the reason
  if (!machine.keeps || !isServerTrouble(failure) || !(await hasNotes())) {
    bridge?.close();
    throw failure;
  }
  const before = recallServed();
  const spaces = await listSpaces();
  const known = spaces.find(({ id }) => id === (before?.id ?? recall("space"))) ?? spaces[0];
  if (!known) throw failure;
  // the folder's layer continues to retry, and so does the bridge
  const folder = bridge && before?.id === known.id ? servedFolder(bridge, before) : undefined;
  // a copy of that folder may be served by now
  if (before && folder) bridge?.expect({ ...before, spaceId: before.id });
  else bridge?.close();
  const given = folder && { folder, isGiven: true };
  return { session: await Session.open(known, { given, isAway: true, shown }), isNew: false, servedFailure: failure };
}

/**
 * Opens the space in a folder, or makes a new one if the folder contains none.
 * @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_OLD_FORMAT`, or the reason of another failure
 */
export async function openFolder(folder: OpenFolder): Promise<Opening> {
  const spaceFolder = new SpaceFolder(folder.fs, folder.path);
  const state = await spaceFolder.inspect();
  if (state.kind === "absent" || state.kind === "old-format") throw spaceFolder.errorFor(state.kind);
  if (state.kind === "space") {
    const { id } = state.spaceFile;
    const session = await openIn({ id }, { given: { folder, isGiven: false } });
    if (!session.isCopy) await folderSource.remember(id, folder);
    return { session, isNew: false };
  }
  // the folder is the inner one, with a space's files: the space's folder is its parent
  if (/(^|[\\/])space-v\d+$/.test(folder.path)) throw spaceFolder.errorFor("empty");
  const session = await Session.create(folder.label.split(/[\\/]/).findLast((part) => part !== "") ?? "My notes");
  await session.attach(folder);
  return { session, isNew: true };
}

/** Id of the space in a folder, if it contains one. */
export async function spaceIdIn(folder: OpenFolder): Promise<string | undefined> {
  const state = await new SpaceFolder(folder.fs, folder.path).inspect();
  return state.kind === "space" ? state.spaceFile.id : undefined;
}

/** The spaces of this browser, the newest first. */
export async function listSpaces(): Promise<SpaceRecord[]> {
  const registry = new SpaceRegistry();
  try {
    return await registry.list();
  } finally {
    registry.close();
  }
}

const OF_SERVER: ReadonlySet<string> = new Set(["FOLD_FOLDER_LOST", "FOLD_UNTRUSTED_SERVER", "FOLD_UNAVAILABLE"]);

function isServerTrouble(error: unknown): boolean {
  return error instanceof BareAddressError || OF_SERVER.has(errorCode(error) ?? "");
}
