/**
 * Sorts children of an element without moving the one that has the focus: a moved element loses the focus, and with it the
 * caret and the character that an input method composes.
 * @param children in the wanted order; they come before all others
 */
export function inOrder(parent: Element, children: readonly Element[], focused: Element | null): void {
  const fixed = Math.max(
    0,
    children.findIndex((child) => child.contains(focused)),
  );
  let next = children[fixed];
  if (!next) return;
  for (const child of children.slice(0, fixed).toReversed()) {
    if (child.nextElementSibling !== next) parent.insertBefore(child, next);
    next = child;
  }
  let last = children[fixed]!;
  for (const child of children.slice(fixed + 1)) {
    if (child.previousElementSibling !== last) parent.insertBefore(child, last.nextElementSibling);
    last = child;
  }
}
