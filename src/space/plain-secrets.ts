import type { StoredSecrets } from "../layers/persistence-layer.ts";
import type { SecretsSize } from "../secrets/limits.ts";
import { utf8 } from "../secrets/encoding.ts";
import { differences, mergeMaps, mergeValue, setOrDelete, type SecretChange, type SecretMap } from "../secrets/secret-map.ts";

const NO_SECRETS: SecretMap = new Map();

/**
 * Secrets without a passphrase, in memory, and what each place that keeps them holds. What a place lacks is the difference
 * between the two: what was changed here, or came from another place, since it was last saved there.
 */
export class PlainSecrets {
  readonly #values = new Map<string, string>();
  /** What each place is known to hold. */
  readonly #places = new Map<object, SecretMap>();
  /** What the other places held when a place of this device's own was last saved. */
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

  /** What {@link size} would be with another value of one secret. */
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

  /** Takes in what a place holds now; `undefined` where it has lost all. */
  receive(place: object, stored: StoredSecrets | undefined): void {
    const known = this.#places.get(place);
    const theirs = stored?.values ?? NO_SECRETS;
    if (stored && known) this.#replaceWith(mergeMaps(known, this.#values, theirs));
    else if (stored) this.#replaceWith(this.#reconcile(stored));
    if (stored?.base && !known) this.#base = stored.base;
    this.#places.set(place, new Map(theirs));
  }

  forget(place: object): void {
    this.#places.delete(place);
  }

  has(place: object): boolean {
    return this.#places.has(place);
  }

  /** What has to be saved in a place. */
  changesFor(place: object): Map<string, SecretChange> {
    return differences(this.#places.get(place) ?? NO_SECRETS, this.#values);
  }

  /** Notes that a place has taken changes. */
  noteSaved(place: object, changes: ReadonlyMap<string, SecretChange>): void {
    const known = new Map(this.#places.get(place));
    for (const [name, { to }] of changes) setOrDelete(known, name, to);
    this.#places.set(place, known);
  }

  /** What the other places hold, as far as all of them do; `undefined` where there are none. */
  baseFor(place: object): SecretMap | undefined {
    const others = [...this.#places].filter(([other]) => other !== place).map(([, known]) => known);
    if (others.length === 0) return undefined;
    const base = new Map(this.#values);
    for (const known of others) for (const [name, { from }] of differences(known, this.#values)) setOrDelete(base, name, from);
    return base;
  }

  /** Merges what a place holds that is heard of for the first time. */
  #reconcile({ values: theirs, base }: StoredSecrets): SecretMap {
    // what other places hold is new to us, and what we have was changed here
    if (!base || this.#places.size === 0) return mergeMaps(this.#base ?? NO_SECRETS, this.#values, theirs);
    // a place of this device's own: what was changed there is ours as well, and older only than what was edited since
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
