import { FoldspaceError, type Problem } from "../errors.ts";
import { mergeEntries, type SealedContent, type SecretEntry } from "./entries.ts";
import { openFile, parseSealedFile, type SealedFile } from "./sealed-file.ts";
import type { SpaceKey } from "./space-key.ts";

/** A sealed file in a source. */
export interface StoredSealedFile {
  /** The peer that the file belongs to, by the file's name. */
  readonly peerId: string;
  /** The text, or the reason why it was not read. */
  readonly content: string | FoldspaceError;
  /** Place of the file, for people. */
  readonly file?: string;
  /** Time of the last change, in milliseconds since the epoch, if others may be about to change the file. */
  readonly modifiedMs?: number;
  /** Whether a sync service made this file. */
  readonly isCopy?: boolean;
}

/** A file, and the results of reading it. */
export class VaultFile {
  readonly stored: StoredSealedFile;
  readonly header: SealedFile | undefined;
  #error: FoldspaceError | undefined;
  #content: SealedContent | undefined;

  private constructor(stored: StoredSealedFile, header: SealedFile | undefined, error: FoldspaceError | undefined) {
    this.stored = stored;
    this.header = header;
    this.#error = error;
  }

  static async parse(stored: StoredSealedFile, spaceId: string): Promise<VaultFile> {
    const { content, peerId } = stored;
    try {
      if (typeof content !== "string") throw content;
      const header = await parseSealedFile(content, spaceId);
      if (header.peerId === peerId) return new VaultFile(stored, header, undefined);
      throw new FoldspaceError("FOLD_SECRETS_BROKEN", `The secrets cannot be read: it is the file of peer ${header.peerId}`);
    } catch (error) {
      if (error instanceof FoldspaceError) return new VaultFile(stored, undefined, error);
      throw error;
    }
  }

  /** The reason why the file cannot be used. */
  get error(): FoldspaceError | undefined {
    return this.#error;
  }

  /** The content, once the file was opened. */
  get content(): SealedContent | undefined {
    return this.#content;
  }

  get keyId(): string | undefined {
    return this.header?.keyId;
  }

  /** Whether that peer has written the file in this place; `false` for a sync service's copy. */
  isOf(peerId: string): boolean {
    return this.stored.peerId === peerId && !this.stored.isCopy;
  }

  /** Whether the stored file is the same and unchanged. */
  isAs({ peerId, content, file, modifiedMs }: StoredSealedFile): boolean {
    const { stored } = this;
    return stored.peerId === peerId && stored.content === content && stored.file === file && stored.modifiedMs === modifiedMs;
  }

  /** @returns whether it is open now */
  async open(key: SpaceKey): Promise<boolean> {
    if (!this.header || this.#error) return false;
    try {
      this.#content ??= await openFile(this.header, key);
      return true;
    } catch (error) {
      if (!(error instanceof FoldspaceError)) throw error;
      this.#error = error;
      return false;
    }
  }

  /** Forgets the content. */
  close(): void {
    this.#content = undefined;
  }

  problems({ isLocked, isOld }: { readonly isLocked: boolean; readonly isOld: boolean }): Problem[] {
    const at = this.stored.file === undefined ? {} : { file: this.stored.file };
    const problems: Problem[] = [];
    if (this.#error) problems.push({ code: this.#error.code, reason: `its secrets are not used: ${this.#error.message}`, ...at });
    if (isLocked) {
      const reason =
        "its secrets are encrypted under another key: unlock with the passphrase of the device that the file comes from";
      problems.push({ code: "FOLD_SECRETS_LOCKED", reason, ...at });
    }
    if (isOld) {
      const reason = "it is older than the version that this device has seen, so it was not used";
      problems.push({ code: "FOLD_SECRETS_ROLLED_BACK", reason, ...at });
    }
    if (this.stored.isCopy) {
      const reason = `a sync service made this copy of the secrets of peer ${this.stored.peerId}; they were read`;
      problems.push({ code: "FOLD_CONFLICT_COPY", reason, ...at });
    }
    return problems;
  }
}

/** Merges the entries of files. @param files open files */
export function entriesIn(files: Iterable<VaultFile>): Map<string, SecretEntry> {
  const entries = new Map<string, SecretEntry>();
  for (const { content } of files) mergeEntries(entries, content!.entries);
  return entries;
}
