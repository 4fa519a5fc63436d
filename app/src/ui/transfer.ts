import { exportJson, type ReplicatedTree } from "foldspace";
import { ImportError } from "../model/import-error.ts";
import { fromMarkdown, toMarkdown } from "../model/markdown.ts";
import { readNodes } from "../model/nodes.ts";
import type { OutlineNode } from "../model/outline-node.ts";
import { Outline } from "../model/outline.ts";
import { loadPage } from "../model/pages.ts";
import { fromSpaceJson, type ReadPage } from "../model/space-json.ts";
import { notices } from "./state/notices.svelte.ts";
import type { PageView } from "./state/page-view.svelte.ts";
import type { Workspace } from "./state/workspace.svelte.ts";
import { count } from "./words/status.ts";

export type ExportFormat = "markdown" | "opml" | "json" | "markdown-files";

/** Larger files, in bytes, are not imported: they are no outlines, and would block the page. */
const MAX_FILE_BYTES = 20_000_000;

/** Exports the open page, or as JSON or as an archive of Markdown files the whole space, as a file. */
export async function exportFile(workspace: Workspace, format: ExportFormat): Promise<void> {
  workspace.drafts.store();
  if (format === "json") {
    await exportSpace(workspace);
    return;
  }
  if (format === "markdown-files") {
    await exportPages(workspace);
    return;
  }
  const { page } = workspace;
  if (!page) return;
  const title = workspace.titleOf(page.treeId) ?? "Page";
  const nodes = readWhole(page);
  if (format === "markdown") {
    download(`${title}.md`, new Blob([toMarkdown(nodes, title)], { type: "text/markdown" }));
  } else {
    const { toOpml } = await import("../model/opml.ts");
    download(`${title}.opml`, new Blob([toOpml(nodes, title)], { type: "text/x-opml" }));
  }
}

async function exportSpace({ name, session: { space } }: Workspace): Promise<void> {
  const trees: [string, ReplicatedTree][] = [[space.id, space.tree]];
  const missing: string[] = [];
  for (const { treeId, name: title } of space.appTrees) {
    if (treeId === undefined) continue;
    const tree = await loadPage(space, treeId);
    if (tree) trees.push([treeId, tree]);
    else missing.push(`“${title || "Untitled"}”`);
  }
  download(`${name}.json`, new Blob([exportJson(space.id, trees)], { type: "application/json" }));
  reportMissing(missing);
}

async function exportPages({ name, pages, session: { space } }: Workspace): Promise<void> {
  const { markdownFiles, zip } = await import("../model/markdown-files.ts");
  const found: { id: string; title: string; tree: ReplicatedTree }[] = [];
  const missing: string[] = [];
  for (const { treeId, title } of pages) {
    const tree = await loadPage(space, treeId);
    if (tree) found.push({ id: treeId, title, tree });
    else missing.push(`“${title || "Untitled"}”`);
  }
  download(`${name}.zip`, zip(markdownFiles(found)));
  reportMissing(missing);
}

function reportMissing(titles: readonly string[]): void {
  if (titles.length > 0) notices.inform(`Not in the file, because not arrived here yet: ${titles.join(", ")}.`);
}

/** Lets the user choose files to import. */
export function chooseFiles(): Promise<File[]> {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ".md,.markdown,.txt,.opml,.xml,.json";
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}

/** Makes a page of each file; an export of the whole space as JSON becomes all its pages. */
export async function importFiles(workspace: Workspace, files: readonly File[]): Promise<void> {
  for (const file of files) {
    try {
      await importFile(workspace, file);
    } catch (error) {
      notices.report(`“${file.name}” could not be imported.`, error, reasonIn(error));
    }
  }
}

function reasonIn(error: unknown): string | undefined {
  if (!(error instanceof ImportError)) return undefined;
  return error.line === undefined ? error.message : `${error.message} (line ${error.line})`;
}

async function importFile(workspace: Workspace, file: File): Promise<void> {
  let items = 0;
  const pages = await readPages(file);
  for (const { title, nodes } of pages) {
    const treeId = await workspace.newPage(title ?? file.name.replace(/\.[^.]+$/, ""));
    if (treeId === undefined) return;
    const page = await workspace.load(treeId);
    page.editor.insertNodes(page.outline.root, nodes);
    page.refresh();
    items += page.rows.length;
  }
  const taken = pages.length === 1 ? count(items, "item") : count(pages.length, "page");
  notices.inform(`${taken} imported from “${file.name}”.`);
}

/** Recognises OPML and JSON by the file's name or its first characters; other text is read as Markdown. */
async function readPages(file: File): Promise<readonly ReadPage[]> {
  if (file.size > MAX_FILE_BYTES) throw new ImportError("It is larger than 20 MB.");
  const text = await file.text();
  if (text.includes("\0")) throw new ImportError("It is not a text file.");
  const isA = (ending: RegExp, beginning: RegExp): boolean => ending.test(file.name) || beginning.test(text);
  if (isA(/\.(opml|xml)$/i, /^\s*<(\?xml|opml)/i)) return [(await import("../model/opml.ts")).fromOpml(text)];
  if (isA(/\.json$/i, /^\s*\{"spaceId":/)) return fromSpaceJson(text);
  if (isA(/\.html?$/i, /^\s*<(!doctype )?html/i)) throw new ImportError("Web pages cannot be imported. Copy their text instead.");
  return [fromMarkdown(text)];
}

/** The whole page, even while the user has zoomed into an item. */
function readWhole({ tree }: PageView): OutlineNode[] {
  const outline = new Outline(tree);
  try {
    return readNodes(outline);
  } finally {
    outline.close();
  }
}

function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replaceAll(/[/\\:*?"<>|]/g, "-");
  link.click();
  // after the browser has begun the download
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
