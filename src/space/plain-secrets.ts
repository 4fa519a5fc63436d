import type { StoredSecrets } from "../layers/persistence-layer.ts";
import type { SecretsSize } from "../secrets/limits.ts";
import { utf8 } from "../secrets/encoding.ts";
import { differences, mergeMaps, mergeValue, setOrDelete, type SecretChange, type SecretMap } from "../secrets/secret-map.ts";

const NO_SECRETS: SecretMap = new Map();

/**
 * Secrets without a passphrase, in memory, and the known content of each source. A source lacks the difference between the two:
 * the changes that were made here, or came from another source, since its last save.
 */
export class PlainSecrets {
  readonly #values = new Map<string, string>();
  /** The known content of each source. */
  readonly #sources = new Map<object, SecretMap>();
  /** The content of the other sources when a source of this device's own was last saved. */
  #base: SecretMap | undefined;
  /** Set or deleted since the start. */
  readonly #edited = new Set<string>();
  #size: SecretsSize = { count: 0, bytes: 0 };

  get values(): SecretMap {
    return this.#values;
  }

  get size(): SecretsSize {
    return this.#size;
  }

  /** The value that {@link size} would have with another value of one secret. */
  sizeWith(name: string, value: string | undefined): SecretsSize {
    const [was, is] = [sizeOf(name, this.#values.get(name)), sizeOf(name, value)];
    return { count: this.#size.count + is.count - was.count, bytes: this.#size.bytes + is.bytes - was.bytes };
  }

  /** @param value `undefined` deletes */
  set(name: string, value: string | undefined): void {
    this.#size = this.sizeWith(name, value);
    setOrDelete(this.#values, name, value);
    this.#edited.add(name);
  }

  /** Merges the present content of a source; `undefined` if the source has lost all. */
  receive(source: object, stored: StoredSecrets | undefined): void {
    const known = this.#sources.get(source);
    const theirs = stored?.values ?? NO_SECRETS;
    if (stored && known) this.#replaceWith(mergeMaps(known, this.#values, theirs));
    else if (stored) this.#replaceWith(this.#reconcile(stored));
    if (stored?.base && !known) this.#base = stored.base;
    this.#sources.set(source, new Map(theirs));
  }

  forget(source: object): void {
    this.#sources.delete(source);
  }

  has(source: object): boolean {
    return this.#sources.has(source);
  }

  /** The changes to save in a source. */
  changesFor(source: object): Map<string, SecretChange> {
    return differences(this.#sources.get(source) ?? NO_SECRETS, this.#values);
  }

  /** Notes that a source has taken changes. */
  noteSaved(source: object, changes: ReadonlyMap<string, SecretChange>): void {
    const known = new Map(this.#sources.get(source));
    for (const [name, { to }] of changes) setOrDelete(known, name, to);
    this.#sources.set(source, known);
  }

  /** The content that all other sources share; `undefined` if there are no others. */
  baseFor(source: object): SecretMap | undefined {
    const others = [...this.#sources].filter(([other]) => other !== source).map(([, known]) => known);
    if (others.length === 0) return undefined;
    const base = new Map(this.#values);
    for (const known of others) for (const [name, { from }] of differences(known, this.#values)) setOrDelete(base, name, from);
    return base;
  }

  /** Merges the content of a source that is read for the first time. */
  #reconcile({ values: theirs, base }: StoredSecrets): SecretMap {
    // the content of other sources is new to us, and our secrets were changed here
    if (!base || this.#sources.size === 0) return mergeMaps(this.#base ?? NO_SECRETS, this.#values, theirs);
    // a source of this device's own: changes made there are ours as well, and only edits made since are newer
    const result = new Map<string, string>();
    for (const name of new Set([...theirs.keys(), ...this.#values.keys()])) {
      const present = this.#values.get(name);
      setOrDelete(result, name, this.#edited.has(name) ? present : mergeValue(base.get(name), theirs.get(name), present));
    }
    return result;
  }

  #replaceWith(values: SecretMap): void {
    this.#values.clear();
    this.#size = { count: 0, bytes: 0 };
    for (const [name, value] of values) {
      this.#size = this.sizeWith(name, value);
      this.#values.set(name, value);
    }
  }
}

/** As JSON. */
function sizeOf(name: string, value: string | undefined): SecretsSize {
  if (value === undefined) return { count: 0, bytes: 0 };
  return { count: 1, bytes: utf8(JSON.stringify([name, value])).length };
}
