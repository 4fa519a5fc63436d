/** What a list shows of one item. Never changed: an item that changed has a new row. */
export interface Row {
  readonly id: string;
  /** 0 for the items right below what is shown. */
  readonly depth: number;
  /** One line. */
  readonly text: string;
  /** Lines below the text; absent: none. */
  readonly note?: string;
  readonly isDone: boolean;
  readonly isCollapsed: boolean;
  readonly hasChildren: boolean;
  readonly parentId: string;
  /** Place among its siblings, counted from 1, as `aria-posinset` is. */
  readonly position: number;
  readonly siblingCount: number;
  /** Another device has deleted it, or something above it, while it was written here: it stays in sight until that is decided. */
  readonly isDeleted?: boolean;
}

export function isSameRow(a: Row, b: Row): boolean {
  return (
    a.id === b.id &&
    a.depth === b.depth &&
    a.text === b.text &&
    a.note === b.note &&
    a.isDone === b.isDone &&
    a.isCollapsed === b.isCollapsed &&
    a.hasChildren === b.hasChildren &&
    a.parentId === b.parentId &&
    a.position === b.position &&
    a.siblingCount === b.siblingCount &&
    a.isDeleted === b.isDeleted
  );
}
