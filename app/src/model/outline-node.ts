/** An item with its descendants, independent of a page, for import, export and pasting. */
export interface OutlineNode {
  /** One line. */
  readonly text: string;
  /** Lines below the text, without empty ones around them. Absent: no note. */
  readonly note?: string;
  /** `false` and absent are the same in a page; in Markdown, `false` is an empty check box. */
  readonly isDone?: boolean;
  readonly isCollapsed?: boolean;
  readonly children: readonly OutlineNode[];
}

/** A node under construction. */
export interface NodeDraft extends OutlineNode {
  text: string;
  note?: string;
  isDone?: boolean;
  isCollapsed?: boolean;
  readonly children: NodeDraft[];
}
