import { VaultFile, type StoredSealedFile } from "./vault-file.ts";

/** The sealed files of all sources, as they were last found. A source is an opaque object. */
export class VaultFiles {
  readonly #spaceId: string;
  readonly #sources = new Map<object, readonly VaultFile[]>();

  constructor(spaceId: string) {
    this.#spaceId = spaceId;
  }

  get sources(): object[] {
    return [...this.#sources.keys()];
  }

  get all(): VaultFile[] {
    return [...this.#sources.values()].flat();
  }

  in(source: object): readonly VaultFile[] {
    return this.#sources.get(source) ?? [];
  }

  /** Replaces the files of a source. Unchanged files are not parsed again, and stay open. */
  async read(source: object, found: readonly StoredSealedFile[]): Promise<void> {
    const known = new Map(this.in(source).map((file) => [file.stored.content, file]));
    const files: VaultFile[] = [];
    for (const stored of found) {
      const same = known.get(stored.content);
      files.push(same?.isAs(stored) ? same : await VaultFile.parse(stored, this.#spaceId));
    }
    this.#sources.set(source, files);
  }

  forget(source: object): void {
    this.#sources.delete(source);
  }

  /** Highest sequence of that peer's files; 0 if it has none. */
  sequenceOf(peerId: string): number {
    return Math.max(0, ...this.all.map(({ header }) => (header?.peerId === peerId ? header.sequence : 0)));
  }
}
