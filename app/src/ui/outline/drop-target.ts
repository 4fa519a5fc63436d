/** What is needed of a row to find where something can be dropped. */
export interface DropRow {
  readonly id: string;
  readonly depth: number;
  readonly isCollapsed: boolean;
  readonly hasChildren: boolean;
}

export interface DropTarget {
  /** `undefined`: the top of what is shown. */
  readonly parentId: string | undefined;
  /** The sibling that it comes before; `undefined` for the end. */
  readonly beforeId: string | undefined;
  readonly depth: number;
}

/** The rows that move when these are dragged: they and all shown below them. */
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
 * Where rows land that are dropped between two others.
 * @param gap index of the row below the gap; the number of rows for the end
 * @param wantedDepth how far to the right the pointer is; the nearest possible depth is taken
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
