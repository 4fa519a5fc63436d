import { canNameLog, logFilePath } from "../../log/index.ts";
import type { LogEntry } from "../../layers/folder/space-folder.ts";
import { digestOf } from "./digest.ts";

export interface RelayFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Makes a relay file for operations that only copies contain. Its writer's id is unique to the repair and the content, because
 * undoing one repair must never remove a file on which another device's repair relies.
 * @returns `undefined` if `lines` is empty, or if an id that another program made cannot be part of a name
 */
export async function relayFor(
  { treeId, peerId }: Pick<LogEntry, "treeId" | "peerId">,
  lines: readonly string[],
  { id, now }: { readonly id: string; readonly now: Date },
): Promise<RelayFile | undefined> {
  if (lines.length === 0) return undefined;
  const text = lines.map((line) => `${line}\n`).join("");
  const writerId = await newRepairWriterId(`${id}\n${text}`);
  if (!canNameLog(treeId, peerId, writerId)) return undefined;
  return { path: logFilePath(treeId, peerId, writerId, now), bytes: new TextEncoder().encode(text) };
}

/**
 * Whether operations in a file of the space stay readable when other devices repair or undo. Those in files of apps do, while
 * copies and the relay files of repairs may be moved away.
 */
export async function isLasting({ isCopy, peerId, writerId }: LogEntry): Promise<boolean> {
  return !isCopy && (writerId === peerId || !(await isRepairWriterId(writerId)));
}

const UNIQUE_DIGITS = 16;

async function newRepairWriterId(seed: string): Promise<string> {
  const unique = (await sha256Of(seed)).slice(0, UNIQUE_DIGITS);
  return unique + (await markOf(unique));
}

/** Judges by the name alone, because a file may have arrived only in part. */
async function isRepairWriterId(writerId: string): Promise<boolean> {
  if (!/^[0-9a-f]{32}$/.test(writerId)) return false;
  return writerId.slice(UNIQUE_DIGITS) === (await markOf(writerId.slice(0, UNIQUE_DIGITS)));
}

async function markOf(unique: string): Promise<string> {
  return (await sha256Of(`foldspace repair ${unique}`)).slice(0, 32 - UNIQUE_DIGITS);
}

async function sha256Of(text: string): Promise<string> {
  return await digestOf(new TextEncoder().encode(text));
}
