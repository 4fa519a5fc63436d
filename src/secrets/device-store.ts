/** The latest that a device has seen of the secrets under one key. */
export interface SeenSecrets {
  /** Highest sequence of each peer's file, by peer id. */
  readonly sequences: Readonly<Record<string, number>>;
  /** Highest counter of any entry. */
  readonly counter: number;
  /** Highest version of the passphrase. */
  readonly version?: number;
  /** What was seen of every entry, encrypted under the key: names are to be read by nobody else either. */
  readonly entries?: string;
  /** Not of a key, but of all that were seen in the space: what became of them. */
  readonly keys?: Readonly<Record<string, KeyState>>;
}

export type KeyState = "current" | "replaced" | "ended";

/**
 * What a device remembers of a space's secrets outside the space's own storage, so that older files put back in place of
 * newer ones are noticed, and, if the user asks for it, a key. It is kept as it was given, under any id. All of it may be lost: then older files pass, and the
 * passphrase is asked for again.
 */
export interface DeviceStore {
  /** @returns `undefined` where nothing is remembered */
  loadSeen(spaceId: string, keyId: string): Promise<SeenSecrets | undefined>;
  saveSeen(spaceId: string, keyId: string, seen: SeenSecrets): Promise<void>;
  /** Keys that the user asked to be remembered. They cannot be read out. Absent where a device has no safe place for keys. */
  loadKeys?(spaceId: string): Promise<readonly RememberedKey[]>;
  /** @param keys none: forgets them all */
  saveKeys?(spaceId: string, keys: readonly RememberedKey[]): Promise<void>;
}

export interface RememberedKey {
  readonly id: string;
  readonly key: CryptoKey;
}
