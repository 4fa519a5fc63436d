import { concatBytes } from "../bytes.ts";
import { errorMessage, FoldspaceError, type Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { encodeLine, isIgnoredName, isPathSafeId, SPACE_DIR, treeDir } from "../log/index.ts";
import { describePointer } from "../log/placeholders.ts";
import { SEALED_SECRETS_DIR, SECRETS_FILE } from "../log/secrets-paths.ts";
import { openPlainText } from "../secrets/plain-conflict.ts";
import { openPlainFile, sealPlainFile } from "../secrets/plain-file.ts";
import { newId, type VertexOperation } from "../tree/index.ts";
import type { LogEntry, SpaceFolder } from "../layers/folder/space-folder.ts";
import { readChunks, readEntry } from "./read-entry.ts";

/** Options of `cloneSpace`. */
export interface CloneOptions {
  /** Id of the new space. Default: a random one. */
  readonly spaceId?: string;
}

/** The outcome of `cloneSpace`. */
export interface Clone {
  readonly spaceId: string;
  /** Number of files in the new folder, without `space.json` and the README. */
  readonly files: number;
  /** The files that were not copied, and why. Paths are those of the original folder. */
  readonly left: readonly Problem[];
}

/**
 * Copies a space to a new folder as a space of its own: as a template, or to read a backup. Two folders with the same id
 * are the same space for every app, which brings what is written in one of them into the other. The id is also the id of the
 * space tree and of its root, so that the operations of that tree are written with the new id; those of app trees are copied.
 * The original folder is not changed. `lost+found`, hidden files and secrets under a passphrase are not copied.
 * @param to a folder that does not exist, or is empty
 * @throws FoldspaceError as `SpaceFolder.open` for the original; `FOLD_BAD_OPERATION` if the new folder contains something, or is in the original;
 *   `FOLD_BAD_ID`; and errors of the file system
 */
export async function cloneSpace(from: SpaceFolder, to: SpaceFolder, { spaceId = newId() }: CloneOptions = {}): Promise<Clone> {
  if (!isPathSafeId(spaceId)) throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(spaceId)} cannot be a space's id`);
  const { id: original } = await from.open();
  if (`${to.path}/`.startsWith(`${from.path}/`))
    throw new FoldspaceError("FOLD_BAD_OPERATION", `${to.path} is inside the original`, { data: { path: to.path } });
  if (((await to.fs.list(to.path)) ?? []).length > 0)
    throw new FoldspaceError("FOLD_BAD_OPERATION", `${to.path} is not empty`, { data: { path: to.path } });
  const left: Problem[] = [];
  const { logs, problems } = await from.scan();
  left.push(...problems.filter(({ code }) => code !== "FOLD_CONFLICT_COPY"));
  let files = 0;
  for (const log of logs) {
    if (log.treeId === original) await writeRenamed(from, to, log, original, spaceId, left);
    else {
      const bytes = await readWhole(from, log.path, log.size);
      const pointer = describePointer(bytes);
      if (pointer !== undefined) left.push({ code: "FOLD_NOT_DOWNLOADED", reason: pointer, file: log.path, treeId: log.treeId });
      else await to.fs.write(to.at(log.path), bytes);
    }
    files++;
  }
  for (const path of await findOthers(from)) {
    await to.fs.write(to.at(path), await readWhole(from, path, Infinity));
    files++;
  }
  const secrets = await resealSecrets(from, original, spaceId, left);
  if (secrets) {
    await to.fs.write(to.at(SECRETS_FILE), secrets);
    files++;
  }
  // last: without it, an interrupted copy is no space
  await to.create(spaceId);
  return { spaceId, files, left };
}

/**
 * Writes a log of the space tree with the new id in place of the old one. Lines that cannot be read are left.
 * @returns whether it did
 */
export async function writeRenamed(
  from: SpaceFolder,
  to: SpaceFolder,
  log: LogEntry,
  original: string,
  spaceId: string,
  left: Problem[],
): Promise<boolean> {
  let text = "";
  for await (const { ops, problems } of readEntry(from, log)) {
    for (const op of ops) text += `${encodeLine(renamed(op, original, spaceId))}\n`;
    left.push(...problems);
  }
  const path = log.path.replace(treeDir(original), treeDir(spaceId));
  // a folder that a sync service renamed contains the old id
  if (path === log.path) {
    const reason = "a sync service renamed its folder: repair the original first";
    left.push({ code: "FOLD_FOREIGN_FILE", reason, file: log.path });
    return false;
  }
  await to.fs.write(to.at(path), new TextEncoder().encode(text));
  return true;
}

function renamed(op: VertexOperation, from: string, to: string): VertexOperation {
  const targetId = op.targetId === from ? to : op.targetId;
  return "parentId" in op ? { ...op, targetId, parentId: op.parentId === from ? to : op.parentId } : { ...op, targetId };
}

/**
 * Seals the plain secrets for another id.
 * @returns `undefined` if there are none that can be read
 */
export async function resealSecrets(
  from: SpaceFolder,
  original: string,
  spaceId: string,
  left: Problem[],
): Promise<Uint8Array | undefined> {
  if (((await from.fs.list(from.at(SEALED_SECRETS_DIR))) ?? []).length > 0) {
    const reason = "secrets under a passphrase belong to the original space: set them again in the copy";
    left.push({ code: "FOLD_SECRETS_LOCKED", reason, file: SEALED_SECRETS_DIR });
  }
  const bytes = await from.fs.read(from.at(SECRETS_FILE));
  if (!bytes) return undefined;
  const pointer = describePointer(bytes);
  if (pointer !== undefined) {
    left.push({ code: "FOLD_NOT_DOWNLOADED", reason: pointer, file: SECRETS_FILE });
    return undefined;
  }
  try {
    const { secrets: values } = await openPlainText(original, new TextDecoder().decode(bytes));
    return new TextEncoder().encode(await sealPlainFile(spaceId, values));
  } catch (error) {
    if (await isSealedFor(spaceId, bytes)) return undefined;
    left.push({ code: "FOLD_SECRETS_BROKEN", reason: errorMessage(error), file: SECRETS_FILE });
    return undefined;
  }
}

async function isSealedFor(spaceId: string, bytes: Uint8Array): Promise<boolean> {
  return await openPlainFile(spaceId, new TextDecoder().decode(bytes)).then(
    () => true,
    () => false,
  );
}

/** The files beside the space, such as attachments, without hidden and temporary ones. */
async function findOthers(folder: SpaceFolder): Promise<string[]> {
  const found: string[] = [];
  for (const { name, kind } of (await folder.fs.list(folder.path)) ?? []) {
    if (isIgnoredName(name) || name === SPACE_DIR) continue;
    if (kind === "file") found.push(name);
    if (kind !== "directory") continue;
    for (const { path, kind: inner } of (await folder.findFiles(name)).files)
      if (inner === "file" && !path.split("/").some(isIgnoredName)) found.push(joinPath(name, path));
  }
  return found;
}

async function readWhole(folder: SpaceFolder, path: string, size: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const bytes of readChunks(folder, path, size)) parts.push(bytes);
  return concatBytes(parts);
}
