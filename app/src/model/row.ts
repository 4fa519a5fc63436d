/** One item as a list shows it. Immutable: a changed item gets a new row. */
export interface Row {
  readonly id: string;
  /** 0 for the topmost items that are shown. */
  readonly depth: number;
  /** One line. */
  readonly text: string;
  /** Lines below the text; absent: no note. */
  readonly note?: string;
  readonly isDone: boolean;
  readonly isCollapsed: boolean;
  readonly hasChildren: boolean;
  readonly parentId: string;
  /** Place among its siblings, counted from 1, like `aria-posinset`. */
  readonly position: number;
  readonly siblingCount: number;
  /** Another device deleted it, or an ancestor, while it was edited here: it stays visible until the user decides. */
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
