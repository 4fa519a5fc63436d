import { BIN_ID, errorCode, FoldspaceError, type ReplicatedTree, type Space, type Vertex } from "foldspace";
import { compareOpIds, compareSiblings, isMoveVertexOp, keysBetween, type MoveVertex } from "foldspace/tree";
import { createItem } from "./create-item.ts";
import { ORDER_KEY, placedOf } from "./item.ts";
import type { Written } from "./journal.ts";
import { sampleNodes, SAMPLE_TITLE } from "./sample.ts";
import { TextVersions } from "./text-versions.ts";

/** `appId` of the trees that are pages. */
const APP_ID = "outline";
const APP_ID_KEY = "appId";
/** Property of an entry in the space tree: the id of its tree. */
const TREE_ID_KEY = "tid";

/** A page of a space: an app tree, with its title from the space tree. */
export interface Page {
  readonly treeId: string;
  readonly title: string;
  /** Its order key. Pages with `undefined` come behind all others. */
  readonly order: string | undefined;
}

export interface DeletedPage {
  readonly treeId: string;
  readonly title: string;
  /** Peer id. */
  readonly deletedBy: string;
}

interface Entry {
  readonly vertex: Vertex;
  readonly page: Page;
}

/**
 * The pages that the space tree names, in order. A tree with another app's `appId`, in its entry or in its root if it is
 * loaded, is not a page. If a tree has several entries, the first counts.
 */
export function listPages(space: Space): Page[] {
  return entriesOf(space).map(({ page }) => page);
}

/** Makes a page, behind all others. */
export async function createPage(space: Space, title: string): Promise<Page> {
  const { keys, rekeyed } = keysAt(space, entriesOf(space), undefined);
  const { id } = space.newAppTree(APP_ID, title);
  const vertex = vertexOf(space, id);
  vertex.setProperties({ [APP_ID_KEY]: APP_ID, [ORDER_KEY]: keys[0] });
  rekey(space, rekeyed);
  return { treeId: id, title, order: keys[0] };
}

/** @returns `undefined` if the space tree names the page, but none of its operations have arrived yet */
export async function loadPage(space: Space, treeId: string): Promise<ReplicatedTree | undefined> {
  try {
    return (await space.loadAppTree(treeId)).tree;
  } catch (error) {
    if (errorCode(error) !== "FOLD_NO_TREE") throw error;
    return undefined;
  }
}

/** @param written as for a text @throws FoldspaceError `FOLD_NO_TREE`, as the others do */
export function renamePage(space: Space, treeId: string, title: string, written?: Written): void {
  titlesOf(space).write(entryIdOf(space, treeId), title, written?.parents);
}

/** The versions of the pages' titles, which are texts of vertices in the space tree. */
export function titlesOf(space: Space): TextVersions {
  return TextVersions.of(space.tree, space.tree.nameKey);
}

/** Id of the vertex that names a page, also after its deletion. @throws FoldspaceError `FOLD_NO_TREE` */
export function entryIdOf(space: Space, treeId: string): string {
  const vertex = listedEntryOf(space, treeId) ?? deletedEntryOf(space, treeId);
  if (!vertex) throw noPage(treeId);
  return vertex.id;
}

/** Moves the page's entry into the space tree's bin. The tree itself stays where it is. */
export function removePage(space: Space, treeId: string): void {
  vertexOf(space, treeId);
  // all entries: another entry for the same tree would bring the page back
  for (const reference of space.appTrees)
    if (reference.treeId === treeId) for (const id of reference.vertexIds) space.tree.deleteVertex(id);
}

/** The deleted pages, the last one first. */
export function listDeletedPages(space: Space): DeletedPage[] {
  const listed = new Set(listPages(space).map(({ treeId }) => treeId));
  const deleted = new Map<string, DeletedPage>();
  for (const { entry, id } of binOf(space)) {
    const treeId = entry.getProperty(TREE_ID_KEY);
    if (typeof treeId !== "string" || listed.has(treeId) || deleted.has(treeId) || !mayBePage(space, entry, treeId)) continue;
    deleted.set(treeId, { treeId, title: entry.name ?? "", deletedBy: id.peerId });
  }
  return [...deleted.values()];
}

/** Moves the entry of a deleted page back to its place. @throws FoldspaceError `FOLD_NO_TREE` */
export function restorePage(space: Space, treeId: string): void {
  const entry = deletedEntryOf(space, treeId);
  if (!entry) throw noPage(treeId);
  const [before] = movesOf(space, ({ targetId, parentId }) => targetId === entry.id && parentId !== BIN_ID);
  space.tree.moveVertex(entry.id, before?.parentId ?? BIN_ID);
}

/** @param beforeTreeId page to insert before; `undefined`: the page goes to the end */
export function movePage(space: Space, treeId: string, beforeTreeId: string | undefined): void {
  if (treeId === beforeTreeId) return;
  const vertex = vertexOf(space, treeId);
  const others = entriesOf(space).filter(({ page }) => page.treeId !== treeId);
  const { keys, rekeyed } = keysAt(space, others, beforeTreeId);
  rekey(space, rekeyed);
  vertex.setProperty(ORDER_KEY, keys[0]);
}

/**
 * Adds a page to a new space that shows the features of the app.
 * @param isInFolder whether the space is in a folder already
 */
export async function newSampleSpace(space: Space, isInFolder: boolean): Promise<void> {
  const { treeId } = await createPage(space, SAMPLE_TITLE);
  const { tree, root } = await space.loadAppTree(treeId);
  const nodes = sampleNodes(isInFolder);
  const { keys } = keysBetween([], 0, nodes.length, space.tree.peerId);
  for (const [index, node] of nodes.entries()) createItem(tree, root.id, keys[index]!, node);
}

function entriesOf(space: Space): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { vertexId, treeId, name } of space.appTrees) {
    const vertex = space.tree.getVertex(vertexId);
    if (!vertex || treeId === undefined || entries.has(treeId) || !mayBePage(space, vertex, treeId)) continue;
    entries.set(treeId, { vertex, page: { treeId, title: name ?? "", order: placedOf(space.tree, vertexId).order } });
  }
  return [...entries.values()].sort((a, b) =>
    compareSiblings(placedOf(space.tree, a.vertex.id), placedOf(space.tree, b.vertex.id)),
  );
}

function mayBePage(space: Space, vertex: Vertex, treeId: string): boolean {
  const appId = vertex.getProperty(APP_ID_KEY) ?? space.getLoadedTree(treeId)?.root?.getProperty(APP_ID_KEY);
  return isPageOf(appId);
}

/** @param appId of a tree, if it has one */
export function isPageOf(appId: unknown): boolean {
  return appId === undefined || appId === APP_ID;
}

/** The deleted vertices of the space tree with the ids of their deletions, the last one first. */
function binOf(space: Space): { readonly entry: Vertex; readonly id: MoveVertex["id"] }[] {
  const deletions = new Map<string, MoveVertex["id"]>();
  for (const { targetId, id } of movesOf(space, ({ parentId }) => parentId === BIN_ID))
    if (!deletions.has(targetId)) deletions.set(targetId, id);
  return [...deletions].flatMap(([vertexId, id]) => {
    const entry = space.tree.getVertex(vertexId);
    return entry?.parentId === BIN_ID ? [{ entry, id }] : [];
  });
}

/** The last one first. */
function movesOf(space: Space, isMeant: (op: MoveVertex) => boolean): MoveVertex[] {
  const moves = space.tree.getAllOps().filter(isMoveVertexOp).filter(isMeant);
  return moves.sort((a, b) => compareOpIds(b.id, a.id));
}

function keysAt(space: Space, entries: readonly Entry[], beforeTreeId: string | undefined): ReturnType<typeof keysBetween> {
  const index = entries.findIndex(({ page }) => page.treeId === beforeTreeId);
  const places = entries.map(({ vertex }) => placedOf(space.tree, vertex.id));
  return keysBetween(places, index < 0 ? entries.length : index, 1, space.tree.peerId);
}

function rekey(space: Space, rekeyed: readonly (readonly [id: string, key: string])[]): void {
  for (const [id, key] of rekeyed) space.tree.setVertexProperty(id, ORDER_KEY, key);
}

function vertexOf(space: Space, treeId: string): Vertex {
  const vertex = listedEntryOf(space, treeId);
  if (!vertex) throw noPage(treeId);
  return vertex;
}

function listedEntryOf(space: Space, treeId: string): Vertex | undefined {
  const vertexId = space.appTrees.find((reference) => reference.treeId === treeId)?.vertexId;
  return vertexId === undefined ? undefined : space.tree.getVertex(vertexId);
}

function deletedEntryOf(space: Space, treeId: string): Vertex | undefined {
  return binOf(space).find(({ entry }) => entry.getProperty(TREE_ID_KEY) === treeId)?.entry;
}

function noPage(treeId: string): FoldspaceError {
  return new FoldspaceError("FOLD_NO_TREE", `The space has no page ${treeId}`, { data: { treeId } });
}
