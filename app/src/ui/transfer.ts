import { exportJson, type ReplicatedTree } from "foldspace";
import { fromMarkdown, toMarkdown } from "../model/markdown.ts";
import { readNodes, type OutlineNode } from "../model/nodes.ts";
import { Outline } from "../model/outline.ts";
import { notices } from "./state/notices.svelte.ts";
import type { PageView } from "./state/page-view.svelte.ts";
import type { Workspace } from "./state/workspace.svelte.ts";
import { count } from "./words/status.ts";

export type ExportFormat = "markdown" | "opml" | "json";

/** Files beyond this many bytes are not taken in: they are no outlines, and would stop the page. */
const MAX_FILE_BYTES = 20_000_000;

/** Gives the open page, or as JSON the whole space, as a file. */
export async function exportFile(workspace: Workspace, format: ExportFormat): Promise<void> {
  workspace.drafts.store();
  if (format === "json") {
    const { space } = workspace.session;
    const trees: [string, ReplicatedTree][] = [[space.id, space.tree]];
    for (const { treeId } of space.appTrees)
      if (treeId !== undefined) trees.push([treeId, (await space.loadAppTree(treeId)).tree]);
    download(`${workspace.name}.json`, exportJson(space.id, trees), "application/json");
    return;
  }
  const { page } = workspace;
  if (!page) return;
  const title = workspace.titleOf(page.treeId) ?? "Page";
  const nodes = readWhole(page);
  if (format === "markdown") {
    download(`${title}.md`, toMarkdown(nodes, title), "text/markdown");
  } else {
    const { toOpml } = await import("../model/opml.ts");
    download(`${title}.opml`, toOpml(nodes, title), "text/x-opml");
  }
}

/** Lets the person choose files to take in. */
export function chooseFiles(): Promise<File[]> {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ".md,.markdown,.txt,.opml,.xml";
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}

/** Makes a page of each file: OPML by its name or its first characters, everything else is read as Markdown. */
export async function importFiles(workspace: Workspace, files: readonly File[]): Promise<void> {
  for (const file of files) {
    try {
      await importFile(workspace, file);
    } catch (error) {
      notices.report(`“${file.name}” could not be taken in.`, error);
    }
  }
}

async function importFile(workspace: Workspace, file: File): Promise<void> {
  if (file.size > MAX_FILE_BYTES) throw new Error("It is larger than 20 MB.");
  const text = await file.text();
  const isOpml = /\.(opml|xml)$/i.test(file.name) || /^\s*<(\?xml|opml)/i.test(text);
  const { title, nodes } = isOpml ? (await import("../model/opml.ts")).fromOpml(text) : fromMarkdown(text);
  const treeId = await workspace.newPage(title ?? file.name.replace(/\.[^.]+$/, ""));
  if (treeId === undefined) return;
  const page = await workspace.load(treeId);
  page.editor.insertNodes(page.outline.root, nodes);
  page.refresh();
  notices.inform(`${count(page.rows.length, "item")} taken in from “${file.name}”.`);
}

/** The whole page, also where it is zoomed into. */
function readWhole({ tree }: PageView): OutlineNode[] {
  const outline = new Outline(tree);
  try {
    return readNodes(outline);
  } finally {
    outline.close();
  }
}

function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replaceAll(/[/\\:*?"<>|]/g, "-");
  link.click();
  // the browser has to have begun with it
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
