import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readSettings, type Advice } from "./place.ts";

/** The file system of a folder, as Linux lists it. */
export interface Mount {
  readonly type: string;
  readonly path: string;
  /** The mounted thing: a device, or a folder for some file systems of programs. */
  readonly source: string;
}

const RULES: readonly (readonly [type: RegExp, name: string, sentence: string])[] = [
  [
    /^fuse\.rclone$/,
    "a mount of rclone",
    "Mount it with --vfs-cache-mode writes or full: otherwise nothing can be appended to a file. Changes of other machines show only at a rescan, every 30 s.",
  ],
  [
    /^fuse\.gocryptfs$/,
    "an encrypted folder of gocryptfs",
    "Changes of other devices are not announced here, so they show only at a rescan, every 30 s.",
  ],
  [
    /^(?:davfs|fuse\.davfs2?)$/,
    "a WebDAV server (davfs2)",
    'Put "buf_size 64" into davfs2.conf: otherwise recent versions of Linux cannot list a folder (EINVAL). Changes of other machines show only at a rescan, every 30 s: keep the folder on a local disk, and let a program carry it.',
  ],
  [
    /^(?:nfs4?|cifs|smb3?|smbfs|9p|afs|ceph|glusterfs|fuse\.(?:sshfs|s3fs|gcsfuse|glusterfs))$/,
    "a network drive",
    "Changes of other machines are not announced here, so they show only at a rescan, every 30 s: keep the folder on a local disk, and let a program carry it.",
  ],
  [
    /^(?:vfat|msdos|exfat|fuse\.exfat|fuseblk)$/,
    "a file system for removable disks",
    "It keeps times in steps of 1 or 2 s, and ignores case: foldspace reads files that changed recently once more. Prefer ext4, APFS or NTFS for a folder in daily use.",
  ],
  [
    /^fuse(?:\.|$)/,
    "a file system of a program (FUSE)",
    "Changes below it may not be announced, so they may show only at a rescan, every 30 s.",
  ],
  [/^overlay$/, "the layer of a container", "It ends with the container: mount a volume for the folder."],
  [/^(?:tmpfs|ramfs)$/, "memory", "It is lost when the machine stops: move the folder to a disk."],
];

/** Describes a file system that deserves attention; `undefined` for any other. */
export function describeMount(mount: Mount): { readonly name: string; readonly advice: readonly Advice[] } | undefined {
  // davfs2 does not give its name as the type
  const type = mount.type === "fuse" && /^https?:/.test(mount.source) ? "davfs" : mount.type;
  const [, name, text] = RULES.find(([pattern]) => pattern.test(type)) ?? [];
  if (name === undefined || text === undefined) return undefined;
  const settings = type === "fuse.gocryptfs" ? adviseOnVault(mount) : [];
  return { name: `${name} (${type})`, advice: [...settings, { text, isNeeded: false }] };
}

/**
 * By default, gocryptfs encrypts the names in each folder under a random value that it keeps in the folder. A sync keeps one value
 * of a folder that two devices have made.
 */
function adviseOnVault({ source }: Mount): Advice[] {
  const settings = readSettings(join(source, "gocryptfs.conf"));
  if (settings !== undefined && !settings.includes('"DirIV"')) return [];
  const text =
    "If a program syncs the encrypted files, edits disappear: two devices make the folder of a day, and the files of one of them are listed no more. Move the space to a vault that is made with -deterministic-names.";
  return [{ text, isNeeded: settings !== undefined }];
}

/** Finds the mount of a folder in the format of `/proc/self/mountinfo`. */
export function findMount(mountinfo: string, folder: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const path = decode(before.split(" ")[4] ?? "");
    const [type = "", source = ""] = after.split(" ");
    if (path === "" || type === "") continue;
    const isAbove = path === "/" || folder === path || folder.startsWith(`${path}/`);
    // of two mounts on one path, the later one is seen
    if (isAbove && path.length >= (found?.path.length ?? 0)) found = { type, path, source: decode(source) };
  }
  return found;
}

/** Blanks and some other characters are octal numbers in the list. */
function decode(field: string): string {
  return field.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** @returns `undefined` on systems without such a list */
export function mountOf(folder: string): Mount | undefined {
  try {
    return findMount(readFileSync("/proc/self/mountinfo", "utf8"), folder);
  } catch {
    return undefined;
  }
}

/** Whether the file system treats names that differ in case as one. */
export function ignoresCase(space: string): boolean {
  try {
    const [a, b] = [statSync(join(space, "space-v1")), statSync(join(space, "SPACE-V1"))];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}
