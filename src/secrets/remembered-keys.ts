import type { Keyring } from "./keyring.ts";
import type { DeviceStore } from "./device-store.ts";
import type { SpaceKey } from "./space-key.ts";

/** Keys that this device remembers at the user's request, so that it needs no passphrase. */
export class RememberedKeys {
  readonly #spaceId: string;
  readonly #deviceStore: DeviceStore | undefined;
  #isLoaded = false;
  /** Ids of keys that the device store was asked for. */
  readonly #asked = new Set<string>();

  constructor(spaceId: string, deviceStore: DeviceStore | undefined) {
    this.#spaceId = spaceId;
    this.#deviceStore = deviceStore;
  }

  /**
   * Adds the remembered keys to the known ones once, and again if new ones are lacking: another tab may have changed the
   * passphrase and had the device remember the new key.
   * @param lacking ids of keys
   */
  async addTo(keyring: Keyring, lacking: readonly string[]): Promise<void> {
    const isAnyNew = lacking.some((id) => !this.#asked.has(id));
    if (this.#isLoaded && !isAnyNew) return;
    this.#isLoaded = true;
    for (const id of lacking) this.#asked.add(id);
    for (const { id, key } of (await this.#deviceStore?.loadKeys?.(this.#spaceId)) ?? [])
      keyring.add({ id, key, raw: undefined });
  }

  /** Reads the device store again, because another one is in use now. */
  reload(): void {
    this.#isLoaded = false;
  }

  async hasAny(): Promise<boolean> {
    return ((await this.#deviceStore?.loadKeys?.(this.#spaceId)) ?? []).length > 0;
  }

  /** @param keys an empty list forgets all keys */
  async save(keys: readonly SpaceKey[]): Promise<void> {
    await this.#deviceStore?.saveKeys?.(
      this.#spaceId,
      keys.map(({ id, key }) => ({ id, key })),
    );
  }
}
