import { treeMarkdown } from "foldspace";
import type { ReplicatedTree } from "foldspace/tree";
import { normalize } from "./normalize.ts";
import type { ZipEntry } from "./zip.ts";

/** Longer names do not fit on every system. */
const MAX_NAME = 100;

/** Each page as a Markdown file, as in a readable copy, with a name of its own that every system allows. */
export function markdownFiles(pages: readonly { readonly title: string; readonly tree: ReplicatedTree }[]): ZipEntry[] {
  const taken = new Set<string>();
  return pages.map(({ title, tree }) => {
    const plain = fileName(title);
    let name = plain;
    // some systems ignore case or accents
    for (let n = 2; taken.has(normalize(name)); n++) name = `${plain} (${n})`;
    taken.add(normalize(name));
    return { name: `${name}.md`, text: `${[...treeMarkdown(title, tree)].join("\n")}\n` };
  });
}

/** A title as the name of a file, without its extension. */
export function fileName(title: string): string {
  const name = Array.from(title.replaceAll(/[/\\:*?"<>|\p{Cc}]/gu, "-"))
    .slice(0, MAX_NAME)
    .join("")
    .replaceAll(/^[\s.]+|[\s.]+$/g, "");
  return name === "" ? "Untitled" : /^(?:con|prn|aux|nul|com\d|lpt\d)(?=$|\.)/i.test(name) ? `_${name}` : name;
}
