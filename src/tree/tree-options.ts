import type { NAME_KEY, OLD_NAME_KEY } from "./names.ts";

/** The kind of change that a caller is about to make: to lasting contents, to drafts, or by operations made elsewhere. */
export type TreeChangeKind = "edit" | "draft" | "merge";

/** Settings of a tree that is used without a space. */
export interface ReplicatedTreeOptions {
  /** Id of the root, if known beforehand. Otherwise the oldest vertex created without a parent is the root. */
  readonly rootId?: string;
  /** Property that new names are written to. By default `_n` in a tree that uses `_n`, and `name` otherwise. */
  readonly nameKey?: typeof NAME_KEY | typeof OLD_NAME_KEY;
  /** Whether operations made here are kept for `popLocalOps` from the start, and not only from its first call on. Default true. */
  readonly keepsLocalOps?: boolean;
  /**
   * Called before each editing method and each `merge`, whether or not it will make a difference. It throws to refuse the change:
   * then nothing changes, and the caller gets the error.
   */
  readonly beforeChange?: (kind: TreeChangeKind) => void;
  /** The highest counter that the peer may have used in this tree before: operations get higher ones. Default 0. */
  readonly counterFloor?: number;
  /**
   * Called before operations of this replica are added to the tree, with the highest of their counters. If it changes the peer, they
   * are made under the new one.
   */
  readonly beforeMaking?: (highestCounter: number) => void;
}
