import { TEXT_KEY, textOf } from "./item.ts";
import type { Effect } from "./journal.ts";
import type { Outline } from "./outline.ts";
import { diffText } from "./text-change.ts";

/** The place of the caret: before the character at `offset` of an item's text. */
export interface Caret {
  readonly id: string;
  readonly offset: number;
}

/** Behind the last change to a visible item; preferably in a text. */
export function caretAfter(outline: Outline, effects: readonly Effect[]): Caret | undefined {
  const shown = effects.filter(({ id }) => outline.indexOf(id) >= 0);
  const text = shown.findLast((effect) => effect.kind === "property" && effect.key === TEXT_KEY);
  if (text?.kind === "property") {
    const { start, inserted } = diffText(asText(text.from), asText(text.to));
    return { id: text.id, offset: start + inserted.length };
  }
  const last = shown.at(-1);
  return last && { id: last.id, offset: textOf(outline.tree, last.id).length };
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
