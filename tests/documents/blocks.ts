import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** A block of code in a document for users. */
export interface Block {
  /** The document and the line of the first line of code, which titles of tests contain. */
  readonly place: string;
  readonly document: string;
  readonly language: string;
  readonly code: string;
}

/** README and the guides, which the package contains. */
export const documents: readonly string[] = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const blocks: readonly Block[] = documents.flatMap((document) => {
  const text = readFileSync(join(ROOT, document), "utf8");
  return Array.from(text.matchAll(/^```(\w*)\n([^]*?)^```$/gm), ({ 1: language, 2: code, index }) => {
    const line = text.slice(0, index).split("\n").length + 1;
    return { place: `${document}:${line}`, document, language: language!, code: code! };
  });
});

/** The blocks of README and the guides in some languages. */
export function blocksOf(...languages: readonly string[]): readonly Block[] {
  return blocks.filter(({ language }) => languages.includes(language));
}

/** All languages that the documents use; `""` for output and drawings. */
export const languages: ReadonlySet<string> = new Set(blocks.map(({ language }) => language));
