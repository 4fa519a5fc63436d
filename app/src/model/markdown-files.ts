import { strToU8, zipSync } from "fflate";
import { nameFiles, treeMarkdown, type NamedPage } from "foldspace";
import type { ReplicatedTree } from "foldspace/tree";

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** Each page as a Markdown file with the name that it has in a readable copy. */
export function markdownFiles(pages: readonly (NamedPage & { readonly tree: ReplicatedTree })[]): TextFile[] {
  const names = nameFiles(pages);
  return pages.map(({ id, title, tree }) => ({ name: names.get(id)!, text: `${[...treeMarkdown(title, tree)].join("\n")}\n` }));
}

/** Packs text files into a ZIP archive. */
export function zip(files: readonly TextFile[]): Blob {
  const packed = zipSync(Object.fromEntries(files.map(({ name, text }) => [name, strToU8(text)])));
  return new Blob([packed], { type: "application/zip" });
}
