/**
 * A value that changes, as frameworks read it: `get` gives the same object until something changes, so that it can be compared by
 * identity.
 */
export interface Source<T> {
  /** The present value. */
  readonly get: () => T;
  /**
   * Calls the listener when the value may have changed: during each edit that is made here, and in a microtask for changes that
   * arrive.
   * @returns a function that ends it
   */
  readonly subscribe: (onChange: () => void) => () => void;
}

/** Gives one object its one source, for as long as the object lives. */
export function onePerKey<K extends object, T extends object>(make: (key: K) => T): (key: K) => T {
  const made = new WeakMap<K, T>();
  return (key) => {
    let source = made.get(key);
    if (!source) made.set(key, (source = make(key)));
    return source;
  };
}

/** Builds a value, and returns the former one if both are equal. */
export function stable<T>(build: () => T, areEqual: (a: T, b: T) => boolean): () => T {
  let last: T | undefined;
  return () => {
    const next = build();
    return last !== undefined && areEqual(last, next) ? last : (last = next);
  };
}

/** Whether two objects have the same members with identical values. */
export function haveSameMembers(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]));
}
