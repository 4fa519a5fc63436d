/** An item with what is below it, apart from any page: what is imported, exported and pasted. */
export interface OutlineNode {
  /** One line. */
  readonly text: string;
  /** Lines below the text, without empty ones around them. Absent: none. */
  readonly note?: string;
  /** `false` and absent are the same in a page; in Markdown, `false` is an empty check box. */
  readonly isDone?: boolean;
  readonly isCollapsed?: boolean;
  readonly children: readonly OutlineNode[];
}

/** A node in the making. */
export interface NodeDraft extends OutlineNode {
  text: string;
  note?: string;
  isDone?: boolean;
  isCollapsed?: boolean;
  readonly children: NodeDraft[];
}
