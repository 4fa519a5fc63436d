import { FoldspaceError } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { isPathSafeId } from "../log/paths.ts";
import { newId } from "../tree/index.ts";
import type { SpaceOptions } from "./space-options.ts";
import { Space } from "./space.ts";

/** What an application remembers of a space. */
export interface SpacePointer {
  readonly id: string;
  /** Where it is, in words of the application's own, such as a folder's path. */
  readonly uri?: string;
  readonly name?: string;
  readonly createdAt?: string;
}

export interface CreateSpaceOptions extends SpaceOptions {
  /** Id of the new space. Default: the one that the layers were made with. */
  readonly id?: string;
  readonly name?: string;
  readonly persistenceLayers: readonly PersistenceLayer[];
}

/** Creates, loads and closes spaces; each is open at most once. */
export class SpaceManager {
  readonly #options: SpaceOptions;
  /** Until they are closed. */
  readonly #spaces = new Map<string, Space>();
  /** Spaces that are being opened or made. */
  readonly #opening = new Map<string, Promise<Space>>();

  /** @param options apply to every space, unless a call says otherwise */
  constructor(options: SpaceOptions = {}) {
    this.#options = options;
  }

  /** The open spaces. */
  get spaces(): Space[] {
    return [...this.#spaces.values()].filter((space) => !space.isClosed);
  }

  getSpace(spaceId: string): Space | undefined {
    const space = this.#spaces.get(spaceId);
    return space?.isClosed ? undefined : space;
  }

  /**
   * Makes a new space in all the layers.
   * @throws FoldspaceError `FOLD_SPACE_MISMATCH` for layers of different spaces, `FOLD_ALREADY_A_SPACE`, `FOLD_BAD_ID`,
   *   `FOLD_NO_LAYER`, `FOLD_READ_ONLY`, what the layers' `connect` throws, and, where one of them cannot save the new space,
   *   `FOLD_NOT_DURABLE`: the others have it then
   */
  async createSpace(options: CreateSpaceOptions): Promise<Space> {
    const id = options.id ?? options.persistenceLayers[0]?.spaceId ?? newId();
    const space = this.#prepare(id, options.persistenceLayers, options);
    return await this.#keep(space, space.create(options.name));
  }

  /**
   * Opens a space from several layers at once: the first that has it decides when, the others merge when they arrive. One that
   * is being closed is opened anew after that.
   * @throws FoldspaceError `FOLD_SPACE_MISMATCH`, `FOLD_NO_LAYER`, or, of a single layer, why it could not be opened
   */
  async loadSpace(
    pointer: SpacePointer,
    persistenceLayers: readonly PersistenceLayer[],
    options: SpaceOptions = {},
  ): Promise<Space> {
    const known = this.#spaces.get(pointer.id);
    if (known?.isClosed) {
      // what it cannot save is told to whoever closes it
      await known.close().catch(() => undefined);
      return await this.loadSpace(pointer, persistenceLayers, options);
    }
    const open = known ?? this.#opening.get(pointer.id);
    if (open) return await open;
    const space = this.#prepare(pointer.id, persistenceLayers, options);
    return await this.#keep(space, space.open());
  }

  /**
   * Flushes a space and closes it.
   * @throws FoldspaceError `FOLD_NOT_DURABLE`, with what is not saved and where; the space is closed all the same
   */
  async closeSpace(spaceId: string): Promise<void> {
    const space = this.#spaces.get(spaceId) ?? (await this.#opening.get(spaceId));
    await space?.close();
  }

  /** Keeps a space from when its opening begins: nobody is given one that is not open yet. */
  async #keep(space: Space, opening: Promise<void>): Promise<Space> {
    const opened = opening.then(() => space);
    this.#opening.set(space.id, opened);
    try {
      await opened;
      this.#spaces.set(space.id, space);
      return space;
    } finally {
      this.#opening.delete(space.id);
    }
  }

  #prepare(id: string, layers: readonly PersistenceLayer[], options: SpaceOptions): Space {
    if (!isPathSafeId(id)) throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(id)} cannot be a space's id`);
    if (layers.length === 0) throw new FoldspaceError("FOLD_NO_LAYER", "A space needs at least one layer to be kept in");
    for (const layer of layers) {
      if (layer.spaceId === id) continue;
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `The layer ${layer.id} is of space ${layer.spaceId}, not of ${id}`, {
        data: { expected: id, found: layer.spaceId },
      });
    }
    if (this.#spaces.has(id) || this.#opening.has(id))
      throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `Space ${id} is open already`);
    return new Space(id, layers, { ...this.#options, ...options }, () => this.#spaces.delete(id));
  }
}
