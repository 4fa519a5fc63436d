import { errorCode, FoldspaceError } from "../errors.ts";
import { describeLayer, type PersistenceLayer } from "../layers/persistence-layer.ts";
import { isPathSafeId } from "../log/paths.ts";
import { newId } from "../tree/index.ts";
import type { SpaceOptions } from "./space-options.ts";
import { Space } from "./space.ts";

/** An application's reference to a space. */
export interface SpacePointer {
  readonly id: string;
  /** Place of the space, in the application's own notation, such as a folder's path. */
  readonly uri?: string;
  readonly name?: string;
  readonly createdAt?: string;
}

/** Options of `SpaceManager.createSpace`. */
export interface CreateSpaceOptions extends SpaceOptions {
  /** Id of the new space. Default: the id that the layers were made with. */
  readonly id?: string;
  readonly name?: string;
  readonly persistenceLayers: readonly PersistenceLayer[];
}

/** Options of `SpaceManager.openOrCreate`. */
export interface OpenOrCreateOptions extends CreateSpaceOptions {
  /** Aborts opening, as of {@link LoadSpaceOptions}; a space that is being made by then is made all the same, and closed. */
  readonly signal?: AbortSignal;
}

/** Options of `SpaceManager.loadSpace`. */
export interface LoadSpaceOptions extends SpaceOptions {
  /** Aborts opening: the call rejects with the signal's reason. If other callers wait for the space, it is opened all the same. */
  readonly signal?: AbortSignal;
}

/**
 * A space that a manager knows.
 *
 * ```
 *  opening ──► open ──► closing ──► forgotten
 *     └─────────────────────┘ every holder has closed it, or it cannot be opened
 * ```
 */
interface Entry {
  readonly space: Space;
  /** Number of callers that have asked for the space and not closed it. */
  holders: number;
  readonly opened: Promise<Space>;
  isOpen: boolean;
  closing: Promise<void> | undefined;
  /** Layers that are being added to the open space, by id. */
  readonly adding: Map<string, Promise<void>>;
}

/** Creates, loads and closes spaces; each is open at most once. */
export class SpaceManager {
  readonly #options: SpaceOptions;
  readonly #entries = new Map<string, Entry>();

  /** @param options apply to every space, unless a call says otherwise */
  constructor(options: SpaceOptions = {}) {
    this.#options = options;
  }

  /** The open spaces. */
  get spaces(): Space[] {
    return [...this.#entries.values()].filter(isUsable).map(({ space }) => space);
  }

  /** The space, if it is open; `undefined` while it is opened or closed. The caller does not become its holder. */
  getSpace(spaceId: string): Space | undefined {
    const entry = this.#entries.get(spaceId);
    return entry && isUsable(entry) ? entry.space : undefined;
  }

  /**
   * Makes a new space in all the layers. The caller becomes its holder, as with {@link loadSpace}.
   * @throws FoldspaceError `FOLD_SPACE_MISMATCH` for layers of different spaces, `FOLD_ALREADY_A_SPACE`, `FOLD_BAD_ID`,
   *   `FOLD_NO_LAYER`, `FOLD_READ_ONLY`, `FOLD_IN_USE`, the errors of the layers' `connect`, and, if one of them cannot save the
   *   new space, `FOLD_NOT_DURABLE`: the others have it then
   */
  async createSpace(options: CreateSpaceOptions): Promise<Space> {
    const id = options.id ?? options.persistenceLayers[0]?.spaceId ?? newId();
    assertUsable(id, options.persistenceLayers);
    if (this.#entries.has(id)) throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `Space ${id} is open already`);
    return await this.#begin(id, options.persistenceLayers, options, (space) => space.create(options.name)).opened;
  }

  /**
   * Opens a space from several layers at once: the first that has it decides when, the others merge when they arrive. If the space
   * is open already, the same object is returned. Layers that it does not have are added to it, and their storage is created if
   * needed; a layer whose id it has is taken for the same place. A space that is being closed is opened again after that.
   *
   * Each successful call makes a holder, and each holder needs a {@link closeSpace}.
   * @throws FoldspaceError `FOLD_NOT_FOUND` if all layers answer that they have no space; `FOLD_SPACE_MISMATCH`, `FOLD_NO_LAYER`;
   *   `FOLD_IN_USE` for a layer of another open space, or if the space
   *   is open for writing and was requested read-only; `FOLD_READ_ONLY` in the opposite case; for a single layer, the reason why it
   *   could not be opened; for an added layer, the reason why it cannot be used
   */
  async loadSpace(
    pointer: SpacePointer,
    persistenceLayers: readonly PersistenceLayer[],
    options: LoadSpaceOptions = {},
  ): Promise<Space> {
    return await this.#load(pointer, persistenceLayers, options, { createMissing: false });
  }

  async #load(
    pointer: SpacePointer,
    persistenceLayers: readonly PersistenceLayer[],
    options: LoadSpaceOptions,
    opening: { readonly createMissing: boolean },
  ): Promise<Space> {
    const { signal, ...spaceOptions } = options;
    assertUsable(pointer.id, persistenceLayers);
    for (;;) {
      signal?.throwIfAborted();
      let entry = this.#entries.get(pointer.id);
      for (; entry && isEnding(entry); entry = this.#entries.get(pointer.id))
        // unsaved operations are reported to the caller that closes the space
        await unlessAborted(
          (entry.closing ?? entry.space.close()).catch(() => undefined),
          signal,
        );
      const isJoining = entry !== undefined;
      if (entry) {
        assertSameAccess(entry.space, { ...this.#options, ...spaceOptions });
        entry.holders++;
      } else {
        entry = this.#begin(pointer.id, persistenceLayers, spaceOptions, (space) => space.open(opening));
      }
      try {
        const space = await unlessAborted(entry.opened, signal);
        for (const layer of persistenceLayers) await addFurther(entry, layer, signal);
        return space;
      } catch (error) {
        entry.holders--;
        // no other caller waits for it or holds it
        if (entry.holders === 0 && !isEnding(entry)) entry.space.close().catch(() => undefined);
        // it could not be opened from another call's layers, but this call's layers may have it
        const { isOpen, space } = entry;
        if (isJoining && !isOpen && persistenceLayers.some(({ id }) => !space.hasLayer(id))) continue;
        throw error;
      }
    }
  }

  /**
   * Opens the space, as {@link loadSpace}, or makes it in all the layers, as {@link createSpace}, if every one of them answers that
   * it has no space. A layer that fails in another way, or does not answer, may have it: then nothing is made. If one layer has the
   * space, the storage of the others is made if it is missing.
   *
   * Two devices may both make a space before the first sync. If both use one id, their trees merge, and of the two names one wins.
   * If each makes an id of its own in one folder, `verifyFolder` reports `FOLD_TWO_SPACES`, and `joinSpaces` makes one space of both.
   * @throws FoldspaceError as {@link loadSpace} and {@link createSpace}; in a read-only space, `FOLD_NOT_FOUND` if it is missing
   */
  async openOrCreate({ signal, ...options }: OpenOrCreateOptions): Promise<Space> {
    const { persistenceLayers, name: _name, id: wantedId, ...spaceOptions } = options;
    const id = wantedId ?? persistenceLayers[0]?.spaceId ?? newId();
    const isReadOnly = spaceOptions.isReadOnly ?? this.#options.isReadOnly ?? false;
    const load = async (): Promise<Space> => {
      const loadOptions = { ...spaceOptions, ...(signal ? { signal } : {}) };
      return await this.#load({ id }, persistenceLayers, loadOptions, { createMissing: true });
    };
    try {
      return await load();
    } catch (error) {
      if (isReadOnly || errorCode(error) !== "FOLD_NOT_FOUND") throw error;
    }
    signal?.throwIfAborted();
    let space: Space;
    try {
      space = await this.createSpace({ ...options, id });
    } catch (error) {
      // another call or another device has made it meanwhile
      if (errorCode(error) === "FOLD_ALREADY_A_SPACE") return await load();
      throw error;
    }
    if (!signal?.aborted) return space;
    await this.closeSpace(id);
    throw signal.reason as Error;
  }

  /**
   * Closes a space for one of its holders. The last holder's call flushes and closes it; `space.close()` does that at once, for
   * all holders.
   * @returns when the space is closed, or others still hold it
   * @throws FoldspaceError `FOLD_NOT_DURABLE`, with the unsaved operations and their layers; the space is closed all the same
   */
  async closeSpace(spaceId: string): Promise<void> {
    const entry = this.#entries.get(spaceId);
    if (!entry) return;
    if (!entry.closing && !entry.space.isClosed) {
      entry.holders--;
      if (entry.holders > 0) return;
    }
    entry.closing ??= entry.opened.then(
      async (space) => await space.close(),
      // the caller that opened it gets the reason why it was not opened
      () => undefined,
    );
    await entry.closing;
  }

  #begin(id: string, layers: readonly PersistenceLayer[], options: SpaceOptions, open: (space: Space) => Promise<void>): Entry {
    const forget = (): void => {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
    };
    const space = new Space(id, layers, { ...this.#options, ...options }, forget);
    const opened = Promise.resolve().then(async () => {
      await open(space);
      entry.isOpen = true;
      return space;
    });
    const entry: Entry = { space, holders: 1, opened, isOpen: false, closing: undefined, adding: new Map() };
    this.#entries.set(id, entry);
    opened.catch(() => undefined);
    return entry;
  }
}

function isUsable(entry: Entry): boolean {
  return entry.isOpen && !isEnding(entry);
}

/**
 * Adds a layer to an open space, unless it has one of this id.
 * @throws the signal's reason, or the reason why the layer cannot be used; it is not added then
 */
async function addFurther({ space, adding }: Entry, layer: PersistenceLayer, signal: AbortSignal | undefined): Promise<void> {
  // a layer that another call is adding may turn out to be unusable
  for (let other = adding.get(layer.id); other; other = adding.get(layer.id))
    await unlessAborted(
      other.catch(() => undefined),
      signal,
    );
  signal?.throwIfAborted();
  if (space.hasLayer(layer.id)) return;
  const added = space.addLayer(layer, { create: true }).finally(() => adding.delete(layer.id));
  adding.set(layer.id, added);
  try {
    await unlessAborted(added, signal);
  } catch (error) {
    // aborted: a failure to remove the layer changes nothing
    if (adding.get(layer.id) === added) space.removeLayer(layer.id).catch(() => undefined);
    throw error;
  }
}

function isEnding({ closing, space }: Entry): boolean {
  return closing !== undefined || space.isClosed;
}

/** @throws FoldspaceError `FOLD_BAD_ID`, `FOLD_NO_LAYER`, `FOLD_SPACE_MISMATCH` */
function assertUsable(id: string, layers: readonly PersistenceLayer[]): void {
  if (!isPathSafeId(id)) throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(id)} cannot be a space's id`);
  if (layers.length === 0) throw new FoldspaceError("FOLD_NO_LAYER", "A space needs at least one layer to be kept in");
  const ids = new Set<string>();
  for (const layer of layers) {
    if (layer.spaceId !== id) {
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${describeLayer(layer)} is of space ${layer.spaceId}, not of ${id}`, {
        data: { expected: id, found: layer.spaceId },
      });
    }
    if (ids.has(layer.id))
      throw new FoldspaceError(
        "FOLD_BAD_ID",
        `Two layers have the id ${JSON.stringify(layer.id)}, ${describeLayer(layer)} among them: give each an id of its own`,
      );
    ids.add(layer.id);
  }
}

/** @throws FoldspaceError `FOLD_READ_ONLY`, `FOLD_IN_USE` */
function assertSameAccess(space: Space, { isReadOnly = false }: SpaceOptions): void {
  if (isReadOnly === space.isReadOnly) return;
  if (space.isReadOnly)
    throw new FoldspaceError(
      "FOLD_READ_ONLY",
      `Space ${space.id} is open for reading only: close it before it is opened to be edited`,
    );
  throw new FoldspaceError(
    "FOLD_IN_USE",
    `Space ${space.id} is open to be edited: close it before it is opened for reading only`,
  );
}

/** @throws the signal's reason, as soon as it is aborted */
async function unlessAborted<T>(task: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await task;
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    task.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
