import type { Row } from "../../model/row.ts";

/**
 * Describes the new place of an item for users of screen readers.
 * @param parentText of the item's new parent; `undefined` at the top
 * @param count of the items that were moved with it
 */
export function describeMove(
  before: Row | undefined,
  after: Row | undefined,
  parentText: string | undefined,
  count: number = 1,
): string {
  if (!after) return count === 1 ? "Item moved out of sight." : `${count} items moved out of sight.`;
  const isSame = before?.parentId === after.parentId && before.position === after.position;
  if (isSame) return "Nothing moved.";
  const what = count === 1 ? "Moved" : `${count} items moved`;
  const where = `level ${after.depth + 1}, ${after.position} of ${after.siblingCount}`;
  const isElsewhere = before?.parentId !== after.parentId && parentText !== undefined;
  return `${what}: ${where}${isElsewhere ? `, below “${parentText || "an empty item"}”` : ""}.`;
}
