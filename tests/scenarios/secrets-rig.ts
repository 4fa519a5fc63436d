import type { Clock } from "../../src/clock.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { UnlockAttempt } from "../../src/secrets/key-wraps.ts";
import type { RememberedKey, DeviceStore, SeenSecrets } from "../../src/secrets/device-store.ts";
import { openFile, parseSealedFile } from "../../src/secrets/sealed-file.ts";
import { SpaceSecrets } from "../../src/space/space-secrets.ts";
import { newId } from "../../src/tree/index.ts";

export const SPACE_ID = "0123456789abcdef0123456789abcdef";
const SECRETS_PATH = /^space-v1\/secrets/;

/** Pseudo-random numbers of a seed: mulberry32. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Time that passes when a test says so. Waits below a second end at once, longer ones never: the test does what they wait for. */
export class SteppedClock implements Clock {
  time: number = Date.UTC(2026, 10, 22);

  now(): number {
    return this.time;
  }

  schedule(delayMs: number, run: () => void): () => void {
    if (delayMs >= 500) return () => undefined;
    const timer = setTimeout(() => {
      this.time += delayMs;
      run();
    }, 0);
    return () => clearTimeout(timer);
  }
}

/** What a device remembers, in memory. */
export class MapMemory implements DeviceStore {
  readonly seen: Map<string, SeenSecrets> = new Map();
  keys: readonly RememberedKey[] = [];

  async loadSeen(_spaceId: string, keyId: string): Promise<SeenSecrets | undefined> {
    return this.seen.get(keyId);
  }

  async saveSeen(_spaceId: string, keyId: string, seen: SeenSecrets): Promise<void> {
    this.seen.set(keyId, seen);
  }

  async loadKeys(): Promise<readonly RememberedKey[]> {
    return this.keys;
  }

  async saveKeys(_spaceId: string, keys: readonly RememberedKey[]): Promise<void> {
    this.keys = keys;
  }
}

export interface DeviceOptions {
  readonly clock?: Clock;
  readonly memory?: DeviceStore;
  readonly isReadOnly?: boolean;
  /** A database that this device keeps the space in as well. */
  readonly databaseName?: string;
  /** What the device reaches its folder through. */
  readonly through?: (fs: MemoryFileSystem) => FileSystem;
}

/** A device with the secrets of a space open, in a folder of its own. */
export class SecretsDevice {
  readonly fs: MemoryFileSystem;
  readonly #options: DeviceOptions;
  #layers: PersistenceLayer[] = [];
  #secrets: SpaceSecrets | undefined;

  constructor(fs: MemoryFileSystem = folderWith({}), options: DeviceOptions = {}) {
    this.fs = fs;
    this.#options = options;
  }

  get secrets(): SpaceSecrets {
    return this.#secrets!;
  }

  get problems(): string[] {
    return [...this.#layers.flatMap((layer) => layer.problems), ...this.secrets.problems].map(({ code }) => code);
  }

  async open(): Promise<this> {
    const { clock, memory, databaseName, isReadOnly = false, through = (fs) => fs } = this.#options;
    const timing = clock ? { clock } : {};
    this.#secrets = new SpaceSecrets(
      SPACE_ID,
      { isReadOnly, timeoutMs: 10_000, ...timing },
      { argon2: WEAKEST_ARGON2, ...(memory ? { deviceStore: memory } : {}) },
    );
    this.#layers = [new FileSystemPersistenceLayer("", SPACE_ID, { fs: through(this.fs), ...timing })];
    if (databaseName !== undefined) this.#layers.push(new IndexedDBPersistenceLayer(SPACE_ID, { databaseName }));
    for (const layer of this.#layers) {
      await layer.connect({ peerId: newId(), create: true });
      await this.#secrets.attach(layer);
    }
    return this;
  }

  /** Looks at what has changed elsewhere. */
  async look(): Promise<void> {
    for (const layer of this.#layers) await this.secrets.attach(layer);
  }

  /** @throws Error where not everything could be saved */
  async save(): Promise<void> {
    const lacking = await this.secrets.flush();
    if (lacking.length > 0) throw new Error(JSON.stringify(lacking));
  }

  /** Goes on without the folder. */
  async detachFolder(): Promise<void> {
    const folder = this.#layers.shift()!;
    this.secrets.detach(folder);
    await folder.disconnect();
  }

  /** Ends without saving. */
  async stop(): Promise<void> {
    this.secrets.close();
    for (const layer of this.#layers) await layer.disconnect();
  }
}

/** A folder that holds a space, with these files. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): MemoryFileSystem {
  return new MemoryFileSystem({ "space-v1/space.json": JSON.stringify({ id: SPACE_ID }), ...files });
}

export function filesOf(fs: MemoryFileSystem): Map<string, string> {
  return new Map(Object.entries(fs.dump()).filter(([path]) => SECRETS_PATH.test(path) && !path.endsWith(".tmp")));
}

export function sealedFilesOf(fs: MemoryFileSystem): string[] {
  return Object.keys(fs.dump()).filter((path) => path.startsWith("space-v1/secrets-v2/"));
}

/** What somebody reads who has a passphrase and these files, and nothing else. */
export async function readWith(
  passphrase: string,
  files: ReadonlyMap<string, string>,
): Promise<Record<string, string | undefined>> {
  const sealed = [...files].filter(([path]) => path.includes("secrets-v2/")).map(([, text]) => text);
  const parsed = await Promise.all(sealed.map(async (text) => await parseSealedFile(text, SPACE_ID)));
  const read: Record<string, string | undefined> = {};
  for (const { keyId, wraps } of parsed) {
    const key = await new UnlockAttempt(passphrase).unwrapAsPassphrase({ spaceId: SPACE_ID, keyId }, wraps);
    for (const file of key ? parsed.filter((other) => other.keyId === keyId) : [])
      for (const [name, { value }] of (await openFile(file, key!)).entries) read[name] = value;
  }
  return read;
}

/** Names that Syncthing and Dropbox give to what lost. */
const COPY_NAMES: readonly ((path: string, n: number) => string)[] = [
  (path, n) => `${path}.sync-conflict-20261122-${String(200_000 + n)}-CC3EXX5`,
  (path, n) => `${path} (Ann's conflicted copy 2026-11-22 ${n})`,
];

/** Carries the secrets between two folders as a sync service does, with a conflict copy where both sides have changed a file. */
export class SimulatedSync {
  readonly #folders: readonly [MemoryFileSystem, MemoryFileSystem];
  readonly #random: (below: number) => number;
  #synced = new Map<string, string>();
  /** How many conflict copies have been made. */
  copies: number = 0;

  constructor(folders: readonly [MemoryFileSystem, MemoryFileSystem], random: (below: number) => number) {
    this.#folders = folders;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let isDone = false; !isDone;) isDone = await this.#runOnce();
  }

  /** @returns whether both sides are equal now */
  async #runOnce(): Promise<boolean> {
    const [one, two] = this.#folders.map(filesOf) as [Map<string, string>, Map<string, string>];
    let isDone = true;
    for (const path of new Set([...one.keys(), ...two.keys(), ...this.#synced.keys()])) {
      const [a, b, base] = [one.get(path), two.get(path), this.#synced.get(path)];
      if (a !== b) {
        isDone = false;
        if (a === base) await this.#carry(path, b, 0);
        else if (b === base) await this.#carry(path, a, 1);
        else if (a === undefined) await this.#carry(path, b, 0);
        else if (b === undefined) await this.#carry(path, a, 1);
        else await this.#conflict(path, [a, b]);
      } else if (a === undefined) this.#synced.delete(path);
      else this.#synced.set(path, a);
    }
    return isDone;
  }

  async #carry(path: string, content: string | undefined, to: 0 | 1): Promise<void> {
    const fs = this.#folders[to];
    if (content === undefined) {
      this.#synced.delete(path);
      await fs.remove(path);
    } else {
      this.#synced.set(path, content);
      await fs.write(path, new TextEncoder().encode(content));
    }
  }

  async #conflict(path: string, contents: readonly [string, string]): Promise<void> {
    const loser = this.#random(2) as 0 | 1;
    const copyPath = COPY_NAMES[this.#random(COPY_NAMES.length)]!(path, this.copies++);
    await this.#folders[loser].write(copyPath, new TextEncoder().encode(contents[loser]));
    await this.#carry(path, contents[loser === 0 ? 1 : 0], loser);
  }
}
