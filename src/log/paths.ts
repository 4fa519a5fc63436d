import { errorCode, FoldspaceError } from "../errors.ts";
import { COPY_MARK, COPY_PATTERNS } from "./copy-marks.ts";
import { placeholderTarget } from "./placeholders.ts";

/** Folder with all files of a space, below the folder that the user chose. */
export const SPACE_DIR = "space-v1";
/** File with the id of the space, relative to the folder that the user chose. */
export const SPACE_FILE = "space-v1/space.json";
/** Folder with the log files of all trees, relative to the folder that the user chose. */
export const OPS_DIR = "space-v1/ops";
/** Folder to which a repair moves files from {@link OPS_DIR}. No reader opens it. */
export const LOST_DIR = "space-v1/lost+found";

/** The kind of a file below `ops`, judged by its path alone. */
export type LogFile =
  | {
      readonly kind: "log";
      readonly treeId: string;
      /** Peer whose operations the file holds. */
      readonly peerId: string;
      /** The peer that wrote the file; in a relay file, another one than `peerId`. */
      readonly writerId: string;
      /** Whether the file, or a folder above it, has a name that only a sync service would give. */
      readonly isCopy: boolean;
    }
  /** A file that a sync service has not downloaded yet. */
  | {
      readonly kind: "placeholder";
      /** Path below `ops` of the file that is missing. */
      readonly target: string;
    }
  /** Temporary and hidden files of other programs. */
  | { readonly kind: "ignored" }
  | { readonly kind: "foreign"; readonly reason: string };

const SAFE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$/;

/** Whether an id may become part of a path: it must have 3 to 128 letters, digits, `-` and `_`. */
export function isPathSafeId(id: string): boolean {
  return SAFE_ID.test(id);
}

/**
 * Folder of a tree's log files.
 * @throws FoldspaceError `FOLD_BAD_ID` for an id that could lead elsewhere
 */
export function treeDir(treeId: string): string {
  return `${OPS_DIR}/${safe(treeId, "tree").slice(0, 2)}/${treeId.slice(2)}`;
}

/**
 * Folder of a tree's log files of one UTC day.
 * @throws FoldspaceError `FOLD_BAD_ID` as {@link treeDir}
 */
export function dayDir(treeId: string, time: Date): string {
  return `${treeDir(treeId)}/${time.toISOString().slice(0, 10).replaceAll("-", "/")}`;
}

/**
 * End of the day, month or year whose files a folder contains, in milliseconds since the epoch.
 * @param folder path below `ops`
 * @returns `undefined` if no date names the folder
 */
export function endOfPeriod(folder: string): number | undefined {
  const date = /^(?:[^/]+\/){1,2}(\d{4})(?:\/(\d{2})(?:\/(\d{2}))?)?$/.exec(folder);
  if (!date) return undefined;
  const [year, month, day] = [Number(date[1]), Number(date[2] ?? 12), date[3]];
  return day === undefined ? Date.UTC(year, month) : Date.UTC(year, month - 1, Number(day) + 1);
}

/**
 * File to which `writerId` writes operations of `peerId`: its own file, or a relay file for another peer.
 * @param time whose UTC day names the folder
 * @throws FoldspaceError `FOLD_BAD_ID` for ids that could lead elsewhere, or that would be read as other ids
 */
export function logFilePath(treeId: string, peerId: string, writerId: string, time: Date): string {
  return logFilePathIn(dayDir(treeId, time), treeId, peerId, writerId);
}

/** As {@link logFilePath}, in a folder of the tree. */
export function logFilePathIn(folder: string, treeId: string, peerId: string, writerId: string): string {
  const name = `${peerId === writerId ? safe(peerId, "peer") : `${safe(peerId, "peer")}.${safe(writerId, "peer")}`}.jsonl`;
  const path = `${folder}/${name}`;
  const read = classifyLogFile(path.slice(OPS_DIR.length + 1));
  const isReadAlike = read.kind === "log" && read.treeId === treeId && read.peerId === peerId && read.writerId === writerId;
  if (isReadAlike && !read.isCopy) return path;
  throw new FoldspaceError(
    "FOLD_BAD_ID",
    `${JSON.stringify(path)} cannot be a file of the space: it would pass for a copy that a sync service made of another file`,
  );
}

/** Whether {@link logFilePath} accepts these ids. */
export function canNameLog(treeId: string, peerId: string, writerId: string): boolean {
  try {
    logFilePath(treeId, peerId, writerId, new Date(0));
    return true;
  } catch (error) {
    if (errorCode(error) !== "FOLD_BAD_ID") throw error;
    return false;
  }
}

/**
 * Reads a file's path from right to left: peer and writer from its name, the tree from the nearest folders that fit.
 * A sync service may have changed the names in any way that keeps the id in them.
 * @param path below `ops`
 * @param size in bytes, if it is known: a placeholder is almost empty
 */
export function classifyLogFile(path: string, size: number = Infinity): LogFile {
  const parts = path.split("/");
  const name = parts.pop()!;
  const target = isIgnoredName(name) && !name.startsWith(".") ? undefined : placeholderTarget(name, size);
  if (target !== undefined && !parts.some(isIgnoredName)) return { kind: "placeholder", target: [...parts, target].join("/") };
  if (isIgnoredName(name) || parts.some(isIgnoredName)) return { kind: "ignored" };
  const peer = peerOfName(name);
  if (!peer) return { kind: "foreign", reason: "its name holds no peer id" };
  const tree = treeOfFolders(parts);
  if (!tree) return { kind: "foreign", reason: "the folders above it name no tree" };
  return { kind: "log", treeId: tree.treeId, peerId: peer.peerId, writerId: peer.writerId, isCopy: peer.isCopy || tree.isCopy };
}

/** The tree that files of a folder belong to, judged by its path below `ops`. */
export function treeIdOfFolder(path: string): string | undefined {
  return treeOfFolders(path.split("/"))?.treeId;
}

/** Whether a folder on the first or second level of `ops` may hold files of the tree, under its own or a copy's name. */
export function mayHoldTree(parts: readonly string[], treeId: string): boolean {
  const has = (name: string, id: string): boolean => name.toLowerCase().includes(id.toLowerCase());
  const [first = "", second] = parts;
  if (second === undefined) return has(first, treeId) || has(first, treeId.slice(0, 2));
  return has(first, treeId) || has(second, treeId.slice(2));
}

const IGNORED_NAME =
  /^[.~#]|\.(tmp|temp|part|partial|crdownload|crswap|filepart|swp|!sync|ffs_tmp|ffs_db|ffs_lock)$|@Syno(EAStream|Resource)$|^(@eaDir|desktop\.ini|thumbs\.db|icon\r)$/i;

/** Names under which other programs keep hidden, temporary or half-written files. */
export function isIgnoredName(name: string): boolean {
  return IGNORED_NAME.test(name);
}

interface PeerOfName {
  readonly peerId: string;
  readonly writerId: string;
  readonly isCopy: boolean;
}

const HEX_ID = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi;
const RELAY_NAME = /^([A-Za-z0-9][A-Za-z0-9_-]{2,127})\.([A-Za-z0-9][A-Za-z0-9_-]{2,127})\.jsonl$/;

function peerOfName(name: string): PeerOfName | undefined {
  const runs = Array.from(name.matchAll(HEX_ID), (match) => match[0]);
  const first = runs[0]?.toLowerCase();
  const [, peerId, writerId] = RELAY_NAME.exec(name) ?? [];
  if (peerId !== undefined && writerId !== undefined && !COPY_MARK.test(writerId)) {
    // we never write an id in capitals, or with other characters behind it
    const areIds = runs.every((run) => run === run.toLowerCase() && (run === peerId || run === writerId));
    if (areIds) return { peerId, writerId, isCopy: false };
  }
  if (first === undefined) return peerOfOtherGrammar(name);
  if (name === `${first}.jsonl`) return { peerId: first, writerId: first, isCopy: false };
  return /\.jsonl|conflict/i.test(name) ? { peerId: first, writerId: first, isCopy: true } : undefined;
}

function peerOfOtherGrammar(name: string): PeerOfName | undefined {
  const isId = (id: string | undefined): id is string => id !== undefined && /^[A-Za-z0-9_-]{1,128}$/.test(id);
  for (const pattern of COPY_PATTERNS) {
    const peerId = pattern.exec(name)?.[1];
    if (isId(peerId)) return { peerId, writerId: peerId, isCopy: true };
  }
  const stem = name.endsWith(".jsonl") ? name.slice(0, -".jsonl".length) : undefined;
  return isId(stem) ? { peerId: stem, writerId: stem, isCopy: false } : undefined;
}

interface TreeOfFolders {
  readonly treeId: string;
  readonly isCopy: boolean;
}

function treeOfFolders(folders: readonly string[]): TreeOfFolders | undefined {
  for (let index = folders.length - 1; index >= 0; index--) {
    const folder = folders[index]!;
    const whole = hexRun(folder, 32);
    const rest = index > 0 ? hexRun(folder, 30) : undefined;
    const start = rest === undefined ? undefined : hexRun(folders[index - 1]!, 2);
    const treeId = whole ?? (rest !== undefined && start !== undefined ? start + rest : undefined);
    if (treeId === undefined) continue;
    const named = whole === undefined ? `${folders[index - 1]}${folder}` : folder;
    return { treeId, isCopy: named !== treeId || index > 1 || !areDates(folders.slice(index + 1)) };
  }
  return treeOfOtherGrammar(folders);
}

/** The first run of exactly that many hexadecimal digits in a name. */
function hexRun(name: string, length: 2 | 30 | 32): string | undefined {
  for (const [run] of name.matchAll(/[0-9a-f]+/gi)) if (run.length === length) return run.toLowerCase();
  return undefined;
}

function treeOfOtherGrammar(folders: readonly string[]): TreeOfFolders | undefined {
  // the part behind the first two characters may look like a year
  const parts = folders[0]?.length === 2 ? 2 : 1;
  const treeId = folders.slice(0, parts).join("");
  const dates = folders.slice(parts);
  const isYear = (folder: string): boolean => /^\d{4}(-\d{2}-\d{2})?(?!\d)/.test(folder);
  if (!isPathSafeId(treeId) || (parts === 1 && isYear(treeId)) || (dates[0] !== undefined && !isYear(dates[0]))) return undefined;
  return { treeId, isCopy: !areDates(dates) };
}

/** Whether a folder has the name of a year (depth 0), month (1) or day (2). */
export function isDayFolder(name: string, depth: number): boolean {
  return depth === 0 ? /^\d{4}$/.test(name) : /^\d{2}$/.test(name);
}

function areDates(folders: readonly string[]): boolean {
  return /^(\d{4}(\/\d{2}(\/\d{2})?)?|\d{4}-\d{2}-\d{2})?$/.test(folders.join("/"));
}

function safe(id: string, role: string): string {
  if (isPathSafeId(id)) return id;
  throw new FoldspaceError(
    "FOLD_BAD_ID",
    `${JSON.stringify(id.slice(0, 80))} cannot name a ${role} in a folder: only 3 to 128 letters, digits, "-" and "_"`,
  );
}
