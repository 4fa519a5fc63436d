import type { OutlineEditor } from "./editing.ts";
import { parseInline } from "./inline.ts";
import { NOTE_KEY } from "./item.ts";
import { normalize } from "./normalize.ts";
import { applyChanges, type TextChange } from "./text-change.ts";
import { TextVersions } from "./text-versions.ts";

/** A new title for links, in place of former ones. */
export interface LinkRename {
  readonly former: readonly string[];
  readonly title: string;
}

/** Puts the new title into the links of items, in their texts and notes. @returns number of items that have changed */
export function renameLinksOf(editor: OutlineEditor, itemIds: Iterable<string>, rename: LinkRename): number {
  const { tree } = editor.outline;
  let count = 0;
  for (const id of itemIds) {
    const [text, note] = [TextVersions.of(tree).current(id), TextVersions.of(tree, NOTE_KEY).current(id)];
    const [newText, newNote] = [renameLinks(text.text, rename), renameLinks(note.text, rename)];
    // like typing: texts that others write at the same time are merged with it
    if (newText !== text.text) editor.setText(id, newText, { from: text.text, parents: text.parents });
    if (newNote !== note.text) editor.setNote(id, newNote, { from: note.text, parents: note.parents });
    if (newText !== text.text || newNote !== note.text) count++;
  }
  return count;
}

/**
 * Puts the new title into the links of a text. Code, and the words that a link shows in place of its title, stay. If the new
 * title differs from a former one only in case or accents, links in a spelling of their own stay as well: they still lead there.
 */
export function renameLinks(text: string, { former, title }: LinkRename): string {
  if (!text.includes("[[")) return text;
  const wanted = new Set(former.map((each) => normalize(each.trim())));
  const isMeant = (target: string): boolean =>
    target !== title && (normalize(target) === normalize(title) ? former.includes(target) : wanted.has(normalize(target)));
  const changes: TextChange[] = [];
  let at = 0;
  for (const { text: part, isMark, link } of parseInline(text)) {
    if (isMark && link?.kind === "page" && part.startsWith("[[") && isMeant(link.target))
      // blanks around the title stay
      changes.push({ start: text.indexOf(link.target, at), removed: link.target.length, inserted: title });
    at += part.length;
  }
  return applyChanges(text, changes);
}
