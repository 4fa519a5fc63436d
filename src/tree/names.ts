import type { TreeNode } from "./node.ts";
import { compareOpIds, type SetVertexProperty } from "./operation.ts";

/** Property with a vertex's name, in folders written with `reptree` up to 0.5. */
export const OLD_NAME_KEY = "_n";
/** Property with a vertex's name, since `reptree` 0.6. */
export const NAME_KEY = "name";

/** The other property that a name can be in; `undefined` for a property that holds no name. */
export function otherNameKey(key: string): string | undefined {
  if (key === NAME_KEY) return OLD_NAME_KEY;
  return key === OLD_NAME_KEY ? NAME_KEY : undefined;
}

/** A vertex's name: of the texts in both properties, the one that was set later. */
export function nameOf(node: TreeNode): string | undefined {
  let latest: SetVertexProperty | undefined;
  for (const key of [OLD_NAME_KEY, NAME_KEY]) {
    const op = node.shownOp(key);
    if (typeof op?.value === "string" && (!latest || compareOpIds(op.id, latest.id) > 0)) latest = op;
  }
  return latest?.value as string | undefined;
}
