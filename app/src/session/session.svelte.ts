import {
  FoldspaceError,
  migrateFolder,
  newId,
  type Space,
  SpaceFolder,
  SpaceManager,
  type PersistenceLayer,
  type SpacePointer,
} from "foldspace";
import { IndexedDBPersistenceLayer } from "foldspace/indexeddb";
import { recall, remember } from "./browser-settings.ts";
import { isLocked, type LockedFolder, type OpenFolder } from "./folder-source.ts";
import { folderSource } from "./folder-sources.ts";
import { isKnownElsewhere, notePlace } from "./known-place.ts";
import { rememberOwnPeer } from "./own-peers.ts";
import { rememberServed } from "./served-before.ts";
import { WatchedFolderLayer } from "./watched-folder-layer.ts";

export const BROWSER_LAYER = "browser";
export const FOLDER_LAYER = "folder";

/** The folder of an open space. */
export type FolderState =
  | { readonly kind: "none" }
  /** The browser asks the user again before it gives access to the folder. */
  | { readonly kind: "locked"; readonly folder: LockedFolder }
  /** The server of this page has it, and does not give it to this tab. */
  | { readonly kind: "away" }
  /** `isGiven`: the server of this page has chosen it, and the user cannot exchange it here. */
  | { readonly kind: "open"; readonly folder: OpenFolder; readonly isGiven: boolean };

/** Whether the space can be kept in a folder. */
export type FolderFitness =
  | { readonly kind: "fits" }
  | { readonly kind: "other-space"; readonly spaceId: string }
  /** It contains the same space, which is kept in another folder. */
  | { readonly kind: "copy" }
  | { readonly kind: "old-format" };

export interface GivenFolder {
  readonly folder: OpenFolder;
  readonly isGiven: boolean;
}

export interface OpenOptions {
  readonly given?: GivenFolder | undefined;
  /** Whether there is a folder at this page's address that is not available now. */
  readonly isAway?: boolean;
  /** Whether the browser keeps the space as well. Default: yes. */
  readonly keepsInBrowser?: boolean;
  readonly shown?: Promise<unknown> | undefined;
}

const manager = new SpaceManager({ peerPool: "device" });

/** An open space with its storage: this browser, unless the user forbids it, and a folder if there is one. */
export class Session {
  readonly space: Space;
  folder: FolderState = $state.raw({ kind: "none" });
  isInBrowser: boolean = $state.raw(true);
  /** Whether the folder may be a copy, so that it is only read, and the browser keeps nothing of it. */
  readonly isCopy: boolean;

  private constructor(space: Space, folder: FolderState, isInBrowser: boolean, isCopy: boolean = false) {
    this.space = space;
    this.folder = folder;
    this.isInBrowser = isInBrowser;
    this.isCopy = isCopy;
    if (!isCopy) this.#remember();
  }

  /**
   * Opens a space from the browser and its folder. The first of them that has it provides the first view.
   * @param options `given`: a folder that is known already. `shown` is fulfilled when there is something to see: the browser's
   *   copy is read first, and the folder only after that
   * @throws FoldspaceError the reason if none of them has it
   */
  static async open(pointer: SpacePointer, options: OpenOptions = {}): Promise<Session> {
    const { given, isAway = false, keepsInBrowser = true, shown } = options;
    let folder: FolderState = { kind: isAway ? "away" : "none" };
    if (given) folder = { kind: "open", ...given };
    else {
      const recalled = await folderSource.recall(pointer.id);
      if (recalled) folder = isLocked(recalled) ? { kind: "locked", folder: recalled } : openState(recalled);
    }
    const opened = folder.kind === "open" ? folder.folder : undefined;
    const layers: PersistenceLayer[] = keepsInBrowser ? [browserLayer(pointer, opened)] : [];
    // the browser has the space that was open here before
    const isKnown = recall("space") === pointer.id;
    if (folder.kind === "open") layers.push(folderLayer(pointer.id, folder.folder, isKnown ? shown : undefined));
    const space = await manager.loadSpace(pointer, layers);
    if (keepsInBrowser && opened && !isAway) await notePlace(pointer.id, opened);
    return new Session(space, folder, keepsInBrowser);
  }

  /** Opens what may be a copy of a space that this browser knows. Writes nothing, neither there nor in the browser. */
  static async openCopy(spaceId: string, given: GivenFolder): Promise<Session> {
    const layers = [folderLayer(spaceId, given.folder)];
    const space = await manager.loadSpace({ id: spaceId }, layers, { isReadOnly: true });
    return new Session(space, { kind: "open", ...given }, false, true);
  }

  /** Makes a new space in this browser. @throws FoldspaceError if the browser keeps nothing */
  static async create(name: string): Promise<Session> {
    const pointer: SpacePointer = { id: newId(), name, createdAt: new Date().toISOString() };
    const space = await manager.createSpace({ id: pointer.id, name, persistenceLayers: [browserLayer(pointer)] });
    return new Session(space, { kind: "none" }, true);
  }

  /** @throws FoldspaceError `FOLD_NOT_DURABLE` with the unsaved changes; the space is closed all the same */
  async close(): Promise<void> {
    await manager.closeSpace(this.space.id);
  }

  /** Checks whether the space can be kept in a folder. Writes nothing. */
  async judge(folder: OpenFolder): Promise<FolderFitness> {
    const state = await new SpaceFolder(folder.fs, folder.path).inspect();
    if (state.kind === "old-format") return { kind: "old-format" };
    if (state.kind === "space" && state.spaceFile.id !== this.space.id)
      return { kind: "other-space", spaceId: state.spaceFile.id };
    if (state.kind === "space" && (await isKnownElsewhere(this.space.id, folder))) return { kind: "copy" };
    return { kind: "fits" };
  }

  /** Adds a folder to the space. Folder and browser get from each other what they lack. */
  async attach(folder: OpenFolder): Promise<void> {
    await this.space.addLayer(folderLayer(this.space.id, folder), { create: true });
    this.folder = openState(folder);
    if (this.isInBrowser) await notePlace(this.space.id, folder);
    await folderSource.remember(this.space.id, folder);
  }

  /** Uses the folder of an earlier visit again. Must be called during a click. @returns whether the user allowed it */
  async reconnect(): Promise<boolean> {
    if (this.folder.kind !== "locked") return true;
    const folder = await this.folder.folder.unlock();
    if (!folder) return false;
    await this.space.addLayer(folderLayer(this.space.id, folder));
    this.folder = openState(folder);
    return true;
  }

  /** Lets the browser keep the space as well. */
  async keepInBrowser(): Promise<void> {
    if (this.isInBrowser || this.isCopy) return;
    const { id, name } = this.space;
    const folder = this.folder.kind === "open" ? this.folder.folder : undefined;
    await this.space.addLayer(browserLayer({ id, ...(name === undefined ? {} : { name }) }, folder), { create: true });
    this.isInBrowser = true;
    this.#remember();
  }

  /**
   * Keeps the space only in its folder from now on. The browser's copy is not deleted.
   * @throws FoldspaceError `FOLD_NOT_DURABLE` while the folder lacks changes; if so, nothing is changed
   */
  async leaveBrowser(): Promise<void> {
    if (!this.isInBrowser) return;
    if (this.folder.kind !== "open") throw new FoldspaceError("FOLD_NOT_DURABLE", "The folder is not connected");
    await this.space.flush();
    this.isInBrowser = false;
    await this.space.removeLayer(BROWSER_LAYER);
  }

  /** Keeps the space only in the browser from now on. The files in the folder stay. */
  async detach(): Promise<void> {
    this.folder = { kind: "none" };
    await folderSource.forget(this.space.id);
    await this.space.removeLayer(FOLDER_LAYER);
  }

  #remember(): void {
    rememberOwnPeer(this.space.id, this.space.peerId);
    remember("space", this.space.id);
    if (this.folder.kind !== "open" || !this.folder.isGiven) return;
    const { label, place } = this.folder.folder;
    rememberServed({ id: this.space.id, path: label, ...(typeof place === "string" && { realPath: place }) });
  }
}

/** Converts a folder of version 0. */
export async function convertFolder(folder: OpenFolder): Promise<void> {
  await migrateFolder(new SpaceFolder(folder.fs, folder.path));
}

function openState(folder: OpenFolder): FolderState {
  return { kind: "open", folder, isGiven: false };
}

/** @param folder noted as the place of a space that the browser does not have yet */
function browserLayer({ id, name, createdAt }: SpacePointer, folder?: OpenFolder): PersistenceLayer {
  const pointer = {
    ...(name === undefined ? {} : { name }),
    createdAt: createdAt ?? new Date().toISOString(),
    ...(folder && { place: folder.place }),
  };
  return new IndexedDBPersistenceLayer(id, { id: BROWSER_LAYER, pointer });
}

function folderLayer(spaceId: string, folder: OpenFolder, start?: Promise<unknown>): PersistenceLayer {
  return new WatchedFolderLayer(folder.path, spaceId, { fs: folder.fs, id: FOLDER_LAYER, start });
}
