/** Property with a vertex's name, in folders written with `reptree` up to 0.5. */
export const OLD_NAME_KEY = "_n";
/** Property with a vertex's name, since `reptree` 0.6. */
export const NAME_KEY = "name";

/** The other property that a name can be in; `undefined` for a property that holds no name. */
export function otherNameKey(key: string): string | undefined {
  if (key === NAME_KEY) return OLD_NAME_KEY;
  return key === OLD_NAME_KEY ? NAME_KEY : undefined;
}
