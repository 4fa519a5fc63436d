import { FoldspaceError, type Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { findOtherSpaceFiles } from "../layers/folder/other-space-files.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";
import { encodeSpaceFile, isPathSafeId, LOST_DIR, SPACE_DIR, SPACE_FILE } from "../log/index.ts";
import { SEALED_SECRETS_DIR, SECRETS_FILE } from "../log/secrets-paths.ts";
import { MAX_SPACE_FILE_BYTES } from "../limits.ts";
import { newId } from "../tree/index.ts";
import { CheckedChanges } from "./checked-changes.ts";
import { resealSecrets, writeRenamed } from "./clone.ts";

/** The outcome of `assignSpaceId`. */
export interface AssignedId {
  readonly spaceId: string;
  /** The id that the folder had before. */
  readonly original: string;
  /** The contents that the new space does not have, and why. Their files are in `lost+found`. */
  readonly left: readonly Problem[];
}

/** Names both ids while they are exchanged, so that an interrupted exchange is continued with the same id. */
const PLAN_FILE = joinPath(SPACE_DIR, "new-id.json");

interface Plan {
  readonly original: string;
  readonly spaceId: string;
}

/**
 * Makes the space in a folder a space of its own, in place: for a copy that becomes another project. The space tree
 * is written anew with the new id; its former files, and secrets under a passphrase, go to `lost+found`. No app may have the folder
 * open. Can be repeated if it was interrupted. `cloneSpace` leaves the folder as it is and makes another one.
 * @throws FoldspaceError as `SpaceFolder.open`, and errors of the file system
 */
export async function assignSpaceId(folder: SpaceFolder): Promise<AssignedId> {
  const changes = new CheckedChanges(folder);
  const spaceFile = await folder.open();
  const { id } = spaceFile;
  const plan = await readPlan(changes, id);
  const { original, spaceId } = plan ?? { original: id, spaceId: newId() };
  const left: Problem[] = [];
  const { logs, outOfReach, problems } = await folder.scan();
  if (outOfReach.length > 0) throw whyUnread(problems, outOfReach);
  if (!plan) await changes.write(PLAN_FILE, encode(`${JSON.stringify({ original, spaceId })}\n`));
  const replaced: string[] = [];
  for (const { path, ...log } of logs.filter(({ treeId }) => treeId === original))
    if (await writeRenamed(folder, folder, { path, ...log }, original, spaceId, left)) replaced.push(path);
  const secrets = await resealSecrets(folder, original, spaceId, left);
  // from here on it is another space
  if (id === original) await changes.write(SPACE_FILE, encode(encodeSpaceFile({ ...spaceFile, id: spaceId })));
  if (secrets) await changes.write(SECRETS_FILE, secrets);
  const sealed = (await folder.fs.list(folder.at(SEALED_SECRETS_DIR))) ?? [];
  replaced.push(...sealed.map(({ name }) => joinPath(SEALED_SECRETS_DIR, name)));
  for (const copy of await findOtherSpaceFiles(folder, spaceId, (problem) => left.push(problem)))
    if (copy.spaceId === original) replaced.push(copy.file);
  // below `before`, no tool takes them for changes that are missing
  const kept = joinPath(LOST_DIR, `was-${original}`, "before");
  for (const path of replaced) await changes.moveFileToFree(path, joinPath(kept, path.slice(SPACE_DIR.length + 1)));
  await changes.remove(PLAN_FILE);
  return { spaceId, original, left };
}

/** A file that cannot be read at present would stay behind. */
function whyUnread(problems: readonly Problem[], outOfReach: readonly string[]): FoldspaceError {
  const isReason = ({ code, file }: Problem): boolean =>
    code === "FOLD_NOT_DOWNLOADED" || (file !== undefined && outOfReach.includes(file));
  const { code = "FOLD_IO", file = outOfReach[0], reason = "cannot be read" } = problems.find(isReason) ?? {};
  return new FoldspaceError(code, `Not all of the space can be read at present: ${file}: ${reason}`, { data: { file } });
}

/** @returns `undefined` if the folder is not in the middle of an exchange */
async function readPlan(changes: CheckedChanges, id: string): Promise<Plan | undefined> {
  const bytes = await changes.read(PLAN_FILE, { offset: 0, length: MAX_SPACE_FILE_BYTES });
  if (!bytes) return undefined;
  let plan: Partial<Record<keyof Plan, unknown>>;
  try {
    plan = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Record<keyof Plan, unknown>>;
  } catch {
    // it was cut off while it was written, before anything else was
    return undefined;
  }
  const { original, spaceId } = plan ?? {};
  if (typeof original !== "string" || typeof spaceId !== "string") return undefined;
  // a plan of another folder may have been copied here
  return isPathSafeId(spaceId) && (id === original || id === spaceId) ? { original, spaceId } : undefined;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
