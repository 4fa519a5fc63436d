/** The part of a row that decides on drop targets. */
export interface DropRow {
  readonly id: string;
  readonly depth: number;
  readonly isCollapsed: boolean;
  readonly hasChildren: boolean;
}

export interface DropTarget {
  /** `undefined`: the topmost items. */
  readonly parentId: string | undefined;
  /** The sibling to insert before; `undefined` for the end. */
  readonly beforeId: string | undefined;
  readonly depth: number;
}

/** The rows that move when these are dragged: they and their visible descendants. */
export function draggedRows(rows: readonly DropRow[], ids: ReadonlySet<string>): Set<string> {
  const dragged = new Set<string>();
  let below = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row.depth <= below) below = Number.POSITIVE_INFINITY;
    if (ids.has(row.id) && below === Number.POSITIVE_INFINITY) below = row.depth;
    if (below < Number.POSITIVE_INFINITY) dragged.add(row.id);
  }
  return dragged;
}

/**
 * The target of rows that are dropped between two others.
 * @param gap index of the row below the gap; the number of rows for the end
 * @param wantedDepth by the horizontal position of the pointer; the nearest possible depth is used
 */
export function dropTarget(rows: readonly DropRow[], dragged: ReadonlySet<string>, gap: number, wantedDepth: number): DropTarget {
  const others = rows.filter((row) => !dragged.has(row.id));
  let at = 0;
  for (let index = 0; index < Math.min(gap, rows.length); index++) if (!dragged.has(rows[index]!.id)) at++;
  const above = others[at - 1];
  const below = others[at];
  const deepest = above === undefined ? 0 : above.isCollapsed && above.hasChildren ? above.depth : above.depth + 1;
  const depth = Math.max(below?.depth ?? 0, Math.min(wantedDepth, deepest));
  const parent = others.slice(0, at).findLast((row) => row.depth < depth);
  return { parentId: parent?.id, beforeId: below?.depth === depth ? below.id : undefined, depth };
}
