import type { Stats } from "node:fs";
import type { Calls, OpenFile } from "./calls.ts";

// What is made in a folder is for the users of that folder, and for no others. The umask (mostly 022) takes the right to write from
// the group of every new folder, so that of two users who share a folder, one could not write into what the other has made. It also
// lets all users read what is made in a folder that only its owner may open, which matters as soon as something is moved or shared.

const STICKY = 0o1000;
const SET_GROUP_ID = 0o2000;
const GROUP = { write: 0o020, all: 0o070 };
const OTHERS = { write: 0o002, all: 0o007 };
const FILE_BITS = 0o666;

/** Windows has access control lists, which new folders inherit. */
const HAS_MODES = process.platform !== "win32";

/** The part of a file's or folder's state that decides who may use it. */
export type Sharing = Pick<Stats, "mode" | "gid">;

/** The mode with which to make a folder, or a file, in a folder. The system takes the bits of the umask from it. */
export function modeToAskFor(parent: Sharing, kind: "folder" | "file"): number {
  const bits = isOfStrangers(parent) ? 0o777 : (parent.mode & 0o777) | 0o700;
  return kind === "folder" ? bits : bits & FILE_BITS;
}

/**
 * The mode that something new in a folder should have.
 * @param made its state, with the folder's group if that could be given to it
 */
function sharedMode(parent: Sharing, made: Sharing, kind: "folder" | "file"): number {
  if (!isShared(parent)) return made.mode & 0o7777;
  const isOfGroup = (parent.mode & (GROUP.write | SET_GROUP_ID)) !== 0 && made.gid === parent.gid;
  const shared = (isOfGroup ? parent.mode & GROUP.all : 0) | (parent.mode & OTHERS.write ? parent.mode & OTHERS.all : 0);
  return (made.mode & 0o7777) | (kind === "folder" ? shared : shared & FILE_BITS);
}

/** Gives a new folder to the users of its parent. */
export async function shareFolder(calls: Calls, path: string, parent: Stats): Promise<void> {
  const made = await calls.stat(path);
  await share(parent, made, "folder", {
    chown: async (gid) => await calls.chown(path, gid),
    chmod: async (mode) => await calls.chmod(path, mode),
  });
}

/** Gives a new file to the users of its folder. */
export async function shareFile(file: OpenFile, folder: Stats): Promise<void> {
  await share(folder, await file.stat(), "file", file);
}

/** Gives a file that replaces another one the group and the mode of that one. */
export async function shareLike(file: OpenFile, replaced: Stats): Promise<void> {
  if (!HAS_MODES) return;
  const made = await file.stat();
  const isOfGroup = made.gid === replaced.gid || (await isDone(async () => await file.chown(replaced.gid)));
  // rights that another group would get are left out
  const mode = replaced.mode & (isOfGroup ? 0o777 : 0o777 & ~GROUP.all);
  if (mode !== (made.mode & 0o777)) await isDone(async () => await file.chmod(mode));
}

interface Changes {
  chown(gid: number): void | Promise<void>;
  chmod(mode: number): void | Promise<void>;
}

async function share(parent: Stats, made: Stats, kind: "folder" | "file", changes: Changes): Promise<void> {
  if (!HAS_MODES || isOfStrangers(parent)) return;
  const isOfGroup = made.gid === parent.gid || (await isDone(async () => await changes.chown(parent.gid)));
  const mode = sharedMode(parent, { mode: made.mode, gid: isOfGroup ? parent.gid : made.gid }, kind);
  if (mode !== (made.mode & 0o7777)) await isDone(async () => await changes.chmod(mode));
}

/**
 * Whether a folder is meant for others to write to, or for its group to use. What is in any other folder gets no more rights than
 * the umask leaves.
 */
function isShared(folder: Sharing): boolean {
  return !isOfStrangers(folder) && (folder.mode & (GROUP.write | SET_GROUP_ID | OTHERS.write)) !== 0;
}

/** A folder like `/tmp`, whose users have nothing to do with one another. */
function isOfStrangers({ mode }: Sharing): boolean {
  return (mode & STICKY) !== 0;
}

/**
 * Whether a change of rights is made. Only members of a group may give something to it, and some disks know no rights: then what
 * was made is as the system made it, and the write continues.
 */
async function isDone(change: () => Promise<void>): Promise<boolean> {
  return await change().then(
    () => true,
    () => false,
  );
}
