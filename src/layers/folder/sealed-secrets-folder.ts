import { isMtimeUntrusted } from "./file-signature.ts";
import type { Clock } from "../../clock.ts";
import { errorCode, FoldspaceError, type Problem, toFoldspaceError } from "../../errors.ts";
import type { FileStat } from "../../fs/file-system.ts";
import { describePointer, NOT_DOWNLOADED } from "../../log/placeholders.ts";
import { classifySealedFile, SEALED_SECRETS_DIR, sealedSecretsPath } from "../../log/secrets-paths.ts";
import { utf8 } from "../../secrets/encoding.ts";
import { assertFileSize, MAX_SEALED_BYTES, MAX_SEALED_FILES, MAX_SECRETS_FILE_BYTES } from "../../secrets/limits.ts";
import type { StoredSealedFile } from "../../secrets/vault-file.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** Names that our file systems give to temporary files. */
const TEMPORARY_NAME = /^[.~][0-9a-f-]{36}\.tmp(?:\.crswap)?$|\.crswap$/;
/** No write takes this long. */
const TEMPORARY_MS = 60_000;

interface KnownFile {
  readonly stored: StoredSealedFile;
  readonly stat: FileStat;
  /** Whether its size and time cannot be trusted to show the next change. */
  readonly mtimeUntrusted: boolean;
}

/** The folder `secrets-v2`, in which every peer writes only its own file. */
export class SealedSecretsFolder {
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  #files = new Map<string, KnownFile>();
  #problems: readonly Problem[] = [];

  constructor(folder: SpaceFolder, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Problems of the last read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The signatures of the files, for comparison. */
  get fingerprint(): string {
    return JSON.stringify(Array.from(this.#files, ([path, { stat }]) => [path, stat.size, stat.modifiedMs]));
  }

  /** Reads the latest files. @throws FoldspaceError if the folder cannot be read */
  async read(): Promise<StoredSealedFile[]> {
    const found = await this.#list();
    const files = new Map<string, KnownFile>();
    const problems: Problem[] = [];
    let bytes = 0;
    for (const [path, stat] of found) {
      // a single file that is too large is not read, and takes no room from others
      const size = stat.size > MAX_SECRETS_FILE_BYTES ? 0 : stat.size;
      if (files.size < MAX_SEALED_FILES && bytes + size <= MAX_SEALED_BYTES) {
        bytes += size;
        files.set(path, await this.#readFile(path, stat));
        continue;
      }
      const reason = "there are too many files of secrets, or too large ones, and this is one of the oldest: it was not read";
      problems.push({ code: "FOLD_SECRETS_TOO_LARGE", reason, file: path });
    }
    this.#files = files;
    this.#problems = problems;
    return Array.from(files.values(), ({ stored }) => stored);
  }

  async write(peerId: string, text: string): Promise<void> {
    await this.#folder.assertPresent();
    await this.#folder.assertNoLinks(sealedSecretsPath(peerId));
    await this.#folder.fs.write(this.#folder.at(sealedSecretsPath(peerId)), utf8(text));
  }

  /** Removes the file of a peer, unless it has changed since it was read. */
  async retire(peerId: string): Promise<void> {
    await this.retireCopy(sealedSecretsPath(peerId));
  }

  /** Removes a file, unless it has changed since it was read. @param path relative to the space's folder */
  async retireCopy(path: string): Promise<void> {
    await this.#folder.assertNoLinks(path);
    const stat = await this.#folder.fs.stat(this.#folder.at(path));
    if (stat && isSame(this.#files.get(path)?.stat, stat)) await this.#folder.fs.remove(this.#folder.at(path));
  }

  /** Removes temporary files of killed writers, because a former passphrase can open them. */
  async removeTemporary(): Promise<void> {
    await this.#folder.assertNoLinks(SEALED_SECRETS_DIR);
    const { fs } = this.#folder;
    for (const { name, kind } of (await fs.list(this.#folder.at(SEALED_SECRETS_DIR))) ?? []) {
      if (kind !== "file" || !TEMPORARY_NAME.test(name)) continue;
      const path = this.#folder.at(`${SEALED_SECRETS_DIR}/${name}`);
      const stat = await fs.stat(path);
      if (stat && this.#clock.now() - stat.modifiedMs > TEMPORARY_MS) await fs.remove(path);
    }
  }

  /** The latest first. */
  async #list(): Promise<[path: string, stat: FileStat][]> {
    const { fs } = this.#folder;
    await this.#folder.assertNoLinks(SEALED_SECRETS_DIR);
    const found: [path: string, stat: FileStat][] = [];
    for (const { name, kind } of (await fs.list(this.#folder.at(SEALED_SECRETS_DIR))) ?? []) {
      if (kind !== "file" || !classifySealedFile(name)) continue;
      const path = `${SEALED_SECRETS_DIR}/${name}`;
      const stat = await fs.stat(this.#folder.at(path));
      if (stat) found.push([path, stat]);
    }
    return found.sort(([a, { modifiedMs: aMs }], [b, { modifiedMs: bMs }]) => bMs - aMs || (a < b ? -1 : 1));
  }

  async #readFile(file: string, stat: FileStat): Promise<KnownFile> {
    const known = this.#files.get(file);
    if (known && !known.mtimeUntrusted && isSame(known.stat, stat)) return known;
    const { modifiedMs } = stat;
    const mtimeUntrusted = isMtimeUntrusted(stat, this.#clock.now());
    const { isPlaceholder, ...named } = classifySealedFile(file.slice(SEALED_SECRETS_DIR.length + 1), stat.size)!;
    const content = isPlaceholder ? new FoldspaceError("FOLD_NOT_DOWNLOADED", NOT_DOWNLOADED) : await this.#readText(file, stat);
    return { stored: { ...named, file, modifiedMs, content }, stat, mtimeUntrusted };
  }

  async #readText(file: string, { size }: FileStat): Promise<string | FoldspaceError> {
    try {
      assertFileSize(size);
      const bytes = await this.#folder.fs.read(this.#folder.at(file));
      if (!bytes) return new FoldspaceError("FOLD_BUSY", `${file} was just removed`);
      const pointer = describePointer(bytes);
      return pointer === undefined ? new TextDecoder().decode(bytes) : new FoldspaceError("FOLD_NOT_DOWNLOADED", pointer);
    } catch (error) {
      return errorCode(error) === undefined ? toFoldspaceError(error) : (error as FoldspaceError);
    }
  }
}

function isSame(a: FileStat | undefined, b: FileStat): boolean {
  return a?.size === b.size && a.modifiedMs === b.modifiedMs;
}
