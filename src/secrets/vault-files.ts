import { VaultFile, type StoredSealedFile } from "./vault-file.ts";

/** The sealed files of all places, as they were last found. Tells the places apart, and knows nothing of what they are. */
export class VaultFiles {
  readonly #spaceId: string;
  readonly #places = new Map<object, readonly VaultFile[]>();

  constructor(spaceId: string) {
    this.#spaceId = spaceId;
  }

  get places(): object[] {
    return [...this.#places.keys()];
  }

  get all(): VaultFile[] {
    return [...this.#places.values()].flat();
  }

  in(place: object): readonly VaultFile[] {
    return this.#places.get(place) ?? [];
  }

  /** Takes in what is found in a place from now on. What is unchanged is not parsed, and stays open. */
  async read(place: object, found: readonly StoredSealedFile[]): Promise<void> {
    const known = new Map(this.in(place).map((file) => [file.stored.content, file]));
    const files: VaultFile[] = [];
    for (const stored of found) {
      const same = known.get(stored.content);
      files.push(same?.isAs(stored) ? same : await VaultFile.parse(stored, this.#spaceId));
    }
    this.#places.set(place, files);
  }

  forget(place: object): void {
    this.#places.delete(place);
  }

  /** Highest sequence of that peer's files. 0 when there is none. */
  sequenceOf(peerId: string): number {
    return Math.max(0, ...this.all.map(({ header }) => (header?.peerId === peerId ? header.sequence : 0)));
  }
}
