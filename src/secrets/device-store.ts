import type { WebCryptoKey } from "./web-crypto-key.ts";

/** The latest state of the secrets under one key that a device has seen. */
export interface SeenSecrets {
  /** Highest sequence of each peer's file, by peer id. */
  readonly sequences: Readonly<Record<string, number>>;
  /** Highest counter of any entry. */
  readonly counter: number;
  /** Highest version of the passphrase. */
  readonly version?: number;
  /** The counter and author of every entry, encrypted under the key, because names are confidential too. */
  readonly entries?: string;
  /** The state of each key that was seen in the space. Not part of the record of a single key. */
  readonly keys?: Readonly<Record<string, KeyState>>;
}

/** Whether a key is in use, was replaced by another, or belonged to a protection that has ended. */
export type KeyState = "current" | "replaced" | "ended";

/**
 * Stores a device's memory of a space's secrets outside the space's own storage: the latest state seen, and, if the user asks
 * for it, keys. With it, the device notices older files that were put back in place of newer ones. The store returns each
 * record as it was given, under any id. All of it may be lost: older files are then accepted, and the passphrase is asked for
 * again.
 */
export interface DeviceStore {
  /** @returns `undefined` if nothing is remembered */
  loadSeen(spaceId: string, keyId: string): Promise<SeenSecrets | undefined>;
  /** Replaces the record of a key. */
  saveSeen(spaceId: string, keyId: string, seen: SeenSecrets): Promise<void>;
  /** Keys that the user asked the device to remember. They cannot be exported. Absent if a device has no safe place for keys. */
  loadKeys?(spaceId: string): Promise<readonly RememberedKey[]>;
  /**
   * Replaces all keys that are remembered for the space.
   * @param keys an empty list forgets all keys
   */
  saveKeys?(spaceId: string, keys: readonly RememberedKey[]): Promise<void>;
}

/** A key that unlocks secrets without their passphrase. */
export interface RememberedKey {
  readonly id: string;
  readonly key: WebCryptoKey;
}
