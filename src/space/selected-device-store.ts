import { type FoldspaceError, toFoldspaceError } from "../errors.ts";
import type { RememberedKey, DeviceStore, SeenSecrets } from "../secrets/device-store.ts";

/**
 * The device store for secrets, kept by the first keeper that is offered, possibly a layer that is added later. If the keeper
 * fails, the secrets stay usable.
 */
export class SelectedDeviceStore implements DeviceStore {
  #keeper: DeviceStore | undefined;
  #failure: FoldspaceError | undefined;

  constructor(keeper: DeviceStore | undefined) {
    this.#keeper = keeper;
  }

  /** The latest error. */
  get failure(): FoldspaceError | undefined {
    return this.#failure;
  }

  get canKeepKeys(): boolean {
    return this.#keeper?.saveKeys !== undefined;
  }

  /** Offers a keeper; the first one offered is used. @returns whether this one was chosen */
  offer(keeper: DeviceStore | undefined): boolean {
    if (this.#keeper || !keeper) return false;
    this.#keeper = keeper;
    return true;
  }

  async loadSeen(spaceId: string, keyId: string): Promise<SeenSecrets | undefined> {
    return await this.#attempt((keeper) => keeper.loadSeen(spaceId, keyId));
  }

  async saveSeen(spaceId: string, keyId: string, seen: SeenSecrets): Promise<void> {
    await this.#attempt((keeper) => keeper.saveSeen(spaceId, keyId, seen));
  }

  async loadKeys(spaceId: string): Promise<readonly RememberedKey[]> {
    return (await this.#attempt((keeper) => keeper.loadKeys?.(spaceId))) ?? [];
  }

  /** @throws FoldspaceError the keeper's error, because the user has asked for this */
  async saveKeys(spaceId: string, keys: readonly RememberedKey[]): Promise<void> {
    await this.#keeper?.saveKeys?.(spaceId, keys);
  }

  async #attempt<T>(action: (keeper: DeviceStore) => Promise<T> | undefined): Promise<T | undefined> {
    try {
      return this.#keeper && (await action(this.#keeper));
    } catch (error) {
      this.#failure = toFoldspaceError(error);
      return undefined;
    }
  }
}
