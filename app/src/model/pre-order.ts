/** A node during a traversal. */
export interface Visited<T> {
  readonly node: T;
  readonly depth: number;
  /** All children of its parent, including itself. */
  readonly siblings: readonly T[];
  readonly index: number;
}

/** Visits nodes, each before its descendants. Without recursion: they may be nested deeper than the stack. */
export function* preOrder<T>(top: readonly T[], childrenOf: (node: T) => readonly T[]): Generator<Visited<T>, void, undefined> {
  const open = [{ siblings: top, next: 0 }];
  for (let list = open.at(-1); list; list = open.at(-1)) {
    const { siblings } = list;
    const index = list.next++;
    if (index === siblings.length) {
      open.pop();
      continue;
    }
    const node = siblings[index]!;
    yield { node, depth: open.length - 1, siblings, index };
    open.push({ siblings: childrenOf(node), next: 0 });
  }
}
