import type { Problem } from "../errors.ts";
import { EntryMap } from "./entry-map.ts";
import { saysEnded } from "./file-standing.ts";
import { Keyring } from "./keyring.ts";
import type { DeviceStore } from "./device-store.ts";
import { RollbackGuard } from "./rollback-guard.ts";
import type { SpaceKey } from "./space-key.ts";
import type { StoredSealedFile } from "./vault-file.ts";
import { VaultFiles } from "./vault-files.ts";

/** `none`: no passphrase was set, and anyone who has the folder can read the secrets. */
export type Protection = "none" | "locked" | "unlocked";

/**
 * The contents of the sealed files of all sources, as far as their keys are known. Files, keys and entries each have a class of
 * their own; this class brings them into agreement.
 */
export class VaultContents {
  readonly files: VaultFiles;
  readonly keyring: Keyring;
  readonly entries: EntryMap = new EntryMap();
  readonly guard: RollbackGuard;

  constructor(spaceId: string, deviceStore: DeviceStore | undefined) {
    this.files = new VaultFiles(spaceId);
    this.keyring = new Keyring(spaceId);
    this.guard = new RollbackGuard(spaceId, deviceStore, this);
  }

  get protection(): Protection {
    if (this.keyring.writeKey) return "unlocked";
    const isKept = this.files.all.some((file) => !saysEnded(file, this.keyring));
    return isKept || this.guard.isKeyMissing ? "locked" : "none";
  }

  /** Whether the protection was ended under every key that is known here, so that secrets are kept without protection again. */
  get protectionEnded(): boolean {
    return this.keyring.endKey !== undefined && this.protection === "none";
  }

  get problems(): Problem[] {
    const { keyring, guard } = this;
    const isOpen = this.protection === "unlocked";
    const ofFiles = this.files.all.flatMap((file) => {
      const isKnown = file.keyId === undefined || keyring.get(file.keyId) !== undefined;
      const isLocked = isOpen && !isKnown && !saysEnded(file, keyring);
      return file.problems({ isLocked, isOld: file.content !== undefined && guard.isOld(file) });
    });
    return [...ofFiles, ...guard.problems];
  }

  /** Replaces the known files of a source. @returns ids of their keys that are not known */
  async find(source: object, found: readonly StoredSealedFile[]): Promise<string[]> {
    await this.files.read(source, found);
    await this.guard.loadStates();
    return this.files.in(source).flatMap(({ keyId }) => (keyId !== undefined && !this.keyring.get(keyId) ? keyId : []));
  }

  /** Opens the files whose keys are known, and merges their contents. */
  async evaluate(): Promise<void> {
    const { files, keyring, entries, guard } = this;
    await this.#openAll();
    await guard.loadSeen();
    for (const { header, content } of guard.openFiles) {
      if (!keyring.get(header!.keyId)) continue;
      keyring.note(header!, content!.recovery);
      entries.merge(content!.entries, content!.cleaned);
      guard.noteTakenIn(header!);
    }
    for (const { header } of files.all) if (header) await keyring.noteReplacements(header);
    await guard.check();
  }

  /** Forgets all other keys, and everything that was opened with them. */
  forgetAllBut(keys: readonly SpaceKey[]): void {
    this.keyring.keepOnly(keys);
    this.entries.clear();
    this.guard.noteForgotten();
    for (const file of this.files.all) if (!this.keyring.get(file.keyId)) file.close();
  }

  /** Continues as long as opened files bring more keys. */
  async #openAll(): Promise<void> {
    for (let isAnyNew = true; isAnyNew;) {
      isAnyNew = false;
      for (const file of this.files.all) {
        const key = this.keyring.get(file.keyId);
        if (!key || !(await file.open(key))) continue;
        if (await this.keyring.addTexts(file.content!.keys)) isAnyNew = true;
      }
    }
  }
}
