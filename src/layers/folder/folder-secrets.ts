import type { Clock } from "../../clock.ts";
import type { Problem } from "../../errors.ts";
import { SPACE_DIR } from "../../log/paths.ts";
import { SEALED_SECRETS_DIR } from "../../log/secrets-paths.ts";
import { Mutex } from "../../mutex.ts";
import { Observable } from "../../observable.ts";
import type { SecretsUpdate, StoredSecrets } from "../persistence-layer.ts";
import { PlainRemains } from "./plain-remains.ts";
import { PlainSecretsFile } from "./plain-secrets-file.ts";
import { SealedSecretsFolder } from "./sealed-secrets-folder.ts";
import type { RescanScope } from "./folder-watcher.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** The secrets in a space's folder. Its calls run one after another. */
export class FolderSecrets {
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #folder: SpaceFolder;
  readonly #plain: PlainSecretsFile;
  readonly #sealed: SealedSecretsFolder;
  readonly #remains: PlainRemains;
  /** Whether all remains were searched. While the secrets are under a passphrase, foldspace leaves no new ones. */
  #isSearched = false;
  /** Whether the remains that were found have been removed. */
  #isClean = false;
  readonly #mutex = new Mutex();
  /** Fingerprint of the files when they were last loaded. */
  #loaded = "";

  constructor(folder: SpaceFolder, spaceId: string, clock: Clock) {
    this.#folder = folder;
    this.#plain = new PlainSecretsFile(folder, spaceId, clock);
    this.#sealed = new SealedSecretsFolder(folder, clock);
    this.#remains = new PlainRemains(folder, spaceId);
  }

  /** Files, besides `secrets` and its copies, that the last read found readable with the space's id. */
  get remains(): readonly string[] {
    return [...this.#plain.remains, ...this.#remains.found];
  }

  async load(): Promise<StoredSecrets> {
    return await this.#mutex.run(async () => {
      const stored = await this.#read();
      this.#loaded = this.#fingerprint;
      return stored;
    });
  }

  async save({ sealed, changes, isProtected = false, retired = [], retiredCopies = [] }: SecretsUpdate): Promise<void> {
    await this.#mutex.run(async () => {
      if (sealed) await this.#sealed.write(sealed.peerId, sealed.text);
      await this.#plain.save(changes, isProtected);
      for (const peerId of retired) await this.#sealed.retire(peerId);
      for (const path of retiredCopies) await this.#sealed.retireCopy(path);
      if (isProtected) {
        await this.#sealed.removeTemporary();
        await this.#remains.find(!this.#isClean);
        await this.#remains.remove();
        this.#isClean = true;
      }
      this.#publish();
    });
  }

  /** Whether the files differ from those that were last loaded. */
  async hasChanged(): Promise<boolean> {
    return await this.#mutex.run(async () => {
      await this.#read();
      return this.#fingerprint !== this.#loaded;
    });
  }

  /** Whether a change in one of these folders may concern the secrets. @param folders full paths */
  mayBeIn(scope: RescanScope): boolean {
    if (typeof scope === "string") return true;
    const places = new Set([SPACE_DIR, SEALED_SECRETS_DIR].map((path) => this.#folder.at(path)));
    return scope.some(([folder]) => places.has(folder));
  }

  /** Resolves when all earlier calls have ended. */
  async whenIdle(): Promise<void> {
    await this.#mutex.run(async () => undefined);
  }

  get #fingerprint(): string {
    return this.#plain.fingerprint + this.#sealed.fingerprint;
  }

  async #read(): Promise<StoredSecrets> {
    const sealed = await this.#sealed.read();
    const plain = await this.#plain.read();
    if (sealed.length > 0 && !this.#isSearched) {
      await this.#remains.find(true);
      this.#isSearched = true;
    }
    this.#publish();
    return { ...plain, hasRemains: plain.hasRemains === true || this.#remains.found.length > 0, sealed };
  }

  #publish(): void {
    const problems = [...this.#plain.problems, ...this.#sealed.problems, ...this.#remains.problems];
    const isSame = JSON.stringify(problems) === JSON.stringify(this.problems.value);
    if (!isSame) this.problems.value = problems;
  }
}
