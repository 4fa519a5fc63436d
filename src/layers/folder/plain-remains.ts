import { errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath, type DirectoryEntry } from "../../fs/file-system.ts";
import { LOST_DIR, SPACE_DIR } from "../../log/paths.ts";
import { classifySealedFile, classifySecretsFile, OLD_SECRETS_DIR, SEALED_SECRETS_DIR } from "../../log/secrets-paths.ts";
import { isReadablePlainText, PLAIN_PREFIX_LENGTH } from "../../secrets/plain-file.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** Limits of the search: nested folders, and files in all of them. */
const MAX_DEPTH = 12;
const MAX_FILES = 20_000;

/**
 * Files from before the secrets were under a passphrase that are still readable with the space's id: temporary files of
 * killed writers, and files that a migration, a repair or a person set aside. Found by content, even if they are cut off.
 */
export class PlainRemains {
  readonly #folder: SpaceFolder;
  readonly #spaceId: string;
  #found: readonly string[] = [];
  readonly #stuck = new Map<string, Problem>();
  #unread: Problem[] = [];

  constructor(folder: SpaceFolder, spaceId: string) {
    this.#folder = folder;
    this.#spaceId = spaceId;
  }

  /** The files that were found and can be removed. */
  get found(): readonly string[] {
    return this.#found;
  }

  /** Files and folders that could not be read, and files that could not be removed. */
  get problems(): Problem[] {
    return [...this.#unread, ...this.#stuck.values()];
  }

  /** @param isThorough whether to search also the files that repairs have set aside, which may be many */
  async find(isThorough: boolean): Promise<void> {
    this.#unread = [];
    const found: string[] = [];
    const left = { files: MAX_FILES };
    await this.#search(SPACE_DIR, (name) => !classifySecretsFile(name), 0, left, found);
    await this.#search(SEALED_SECRETS_DIR, (name) => !classifySealedFile(name), 0, left, found);
    await this.#search(OLD_SECRETS_DIR, () => true, 0, left, found);
    if (isThorough) await this.#search(LOST_DIR, (name) => !name.endsWith(".jsonl"), MAX_DEPTH, left, found);
    this.#found = found.filter((path) => !this.#stuck.has(path));
  }

  /** Removes the files that were found. One that cannot be removed is a problem. */
  async remove(): Promise<void> {
    for (const path of this.#found) {
      try {
        await this.#folder.assertNoLinks(path);
        await this.#folder.fs.remove(this.#folder.at(path));
        this.#stuck.delete(path);
      } catch (error) {
        this.#stuck.set(path, {
          code: "FOLD_SECRETS_UNPROTECTED",
          reason: `${READABLE}, and could not be removed: ${errorMessage(error)}`,
          file: path,
        });
      }
    }
    this.#found = [];
  }

  /** @param depth of nested folders to search as well */
  async #search(
    folder: string,
    isCandidate: (name: string) => boolean,
    depth: number,
    left: { files: number },
    found: string[],
  ): Promise<void> {
    for (const { name, kind } of await this.#list(folder)) {
      const path = joinPath(folder, name);
      if (kind === "directory" && depth > 0) await this.#search(path, isCandidate, depth - 1, left, found);
      if (kind !== "file" || !isCandidate(name) || left.files-- <= 0) continue;
      if ((await this.#attempt(path, async () => await this.#isReadable(path))) === true) found.push(path);
    }
  }

  async #list(folder: string): Promise<readonly DirectoryEntry[]> {
    const entries = await this.#attempt(folder, async () => {
      await this.#folder.assertNoLinks(folder);
      return await this.#folder.fs.list(this.#folder.at(folder));
    });
    return entries ?? [];
  }

  /** An unreadable file is a problem, but does not block access to the secrets. */
  async #attempt<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      const reason = `it cannot be checked for secrets from before they were under a passphrase: ${errorMessage(error)}`;
      this.#unread.push({ code: errorCode(error) ?? "FOLD_IO", reason, file: path });
      return undefined;
    }
  }

  async #isReadable(path: string): Promise<boolean> {
    const range = { offset: 0, length: PLAIN_PREFIX_LENGTH };
    const bytes = await this.#folder.fs.read(this.#folder.at(path), range);
    return bytes !== undefined && (await isReadablePlainText(this.#spaceId, new TextDecoder().decode(bytes)));
  }
}

/** Describes a file that is readable although the secrets are under a passphrase. */
export const READABLE = "it contains secrets from before they were under a passphrase, readable without it";
