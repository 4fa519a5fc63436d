import type { Problem } from "../../errors.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { OperationTally } from "../operation-tally.ts";
import type { ReadingProgress } from "../read-entry.ts";
import { parentOf } from "../checked-changes.ts";
import { groupByTree } from "../verify.ts";
import { addLine, disputed, packedFileFor, readContents, type Lines, type LogContents, type PackedFile } from "./packed-file.ts";
import { periodOf, type Period } from "./periods.ts";

/** A step that packing does, or would do. Paths are relative to the space's folder. */
export type PackStep =
  /** Joins files into one, which is written unless it exists. */
  | { readonly kind: "pack"; readonly file: string; readonly operations: number; readonly joined: readonly string[] }
  /** Takes away a file whose operations are all in packed files of earlier years. */
  | { readonly kind: "fold"; readonly file: string };

/** A file that a step takes away. */
export interface PackInput {
  readonly entry: LogEntry;
  readonly sha256: string;
}

/** Files of one peer, tree and period that are taken away. */
export interface PackedGroup {
  readonly inputs: readonly PackInput[];
  readonly operations: number;
  /** The file with all their operations; `undefined` if packed files of earlier years contain them. */
  readonly output: PackedFile | undefined;
}

/** The groups of files of one peer in one tree, in order: each may rely on those before it. */
export interface PeerPlan {
  readonly groups: readonly PackedGroup[];
  readonly left: readonly Problem[];
}

export interface PackPlan {
  readonly steps: readonly PackStep[];
  /** Files that stay as they are for a problem. */
  readonly left: readonly Problem[];
  /** The files by tree and peer that the steps are about, with the steps planned for them. */
  readonly peers: readonly PlannedPeer[];
  /** All operations in files that are old enough. */
  readonly before: OperationTally;
  /** Paths of all log files in the space. */
  readonly paths: readonly string[];
}

export interface PlannedPeer {
  readonly logs: readonly LogEntry[];
  readonly groups: readonly PackedGroup[];
  readonly context: PeerContext;
}

/** Which files are old enough. */
export interface PackContext {
  readonly now: Date;
  readonly olderThanMs: number;
}

export interface PeerContext extends PackContext {
  /**
   * Keys of the periods in which the tree has files in several folders. In these, the only old file of a peer is packed, too,
   * because that saves folders; elsewhere it would gain nothing.
   */
  readonly scattered: ReadonlySet<string>;
}

/** The operations of a group are held in memory. A larger group stays as it is: it would gain nothing. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;

/** Plans the packing of a folder. Changes nothing. */
export async function planPack(
  folder: SpaceFolder,
  context: PackContext,
  onProgress?: (progress: ReadingProgress) => void,
): Promise<PackPlan> {
  const { logs, problems } = await folder.scan();
  const isOld = (path: string): boolean => periodOf(path, context.now, context.olderThanMs) !== undefined;
  const old = logs.filter(({ path, isCopy }) => !isCopy && isOld(path));
  const left = problems.filter(({ file }) => file !== undefined && isOld(file));
  const before = new OperationTally();
  const peers: PlannedPeer[] = [];
  const steps: PackStep[] = [];
  let filesRead = 0;
  let opsRead = 0;
  const byPeer = [...groupByTree(old).values()].flatMap((ofTree) => {
    const groups = [...ofTree.values()];
    const ofPeers = { ...context, scattered: scatteredPeriods(groups.flat(), context) };
    return groups.map((group) => [group, ofPeers] as const);
  });
  for (const [group, ofPeer] of byPeer) {
    const { treeId, peerId } = group[0]!;
    const plan = await planPeer(folder, group, ofPeer, ({ lines }) => {
      before.add(
        treeId,
        Array.from(lines.keys(), (counter) => ({ id: { counter, peerId } })),
      );
      opsRead += lines.size;
    });
    left.push(...plan.left);
    // the bytes are made again when they are written: those of all groups may be too many
    const groups = plan.groups.map((each) => ({ ...each, output: each.output && { ...each.output, bytes: NO_BYTES } }));
    if (groups.length > 0) peers.push({ logs: group, groups, context: ofPeer });
    steps.push(...groups.flatMap(stepsOf));
    filesRead += group.length;
    onProgress?.({ filesRead, files: old.length, opsRead });
  }
  return { steps, left, peers, before, paths: logs.map(({ path }) => path) };
}

const NO_BYTES = new Uint8Array();

/** @param logs of one tree */
function scatteredPeriods(logs: readonly LogEntry[], { now, olderThanMs }: PackContext): Set<string> {
  const folders = new Map<string, string>();
  const scattered = new Set<string>();
  for (const { path } of logs) {
    const key = periodOf(path, now, olderThanMs)!.key;
    const folder = parentOf(path);
    if ((folders.get(key) ?? folder) !== folder) scattered.add(key);
    folders.set(key, folder);
  }
  return scattered;
}

/**
 * Plans what to do with old files of one peer in one tree. The files of a period become one. A file whose operations are all in
 * packed files of earlier years is taken away instead, as it only repeats them. So every file is taken away for the sake of a
 * packed file that contains more, or is of an earlier year, and no two devices can take away each other's.
 * @param logs the files, without copies
 * @param onContents gets the contents of each file that can be packed
 */
export async function planPeer(
  folder: SpaceFolder,
  logs: readonly LogEntry[],
  { now, olderThanMs, scattered }: PeerContext,
  onContents: (contents: LogContents) => void = () => undefined,
): Promise<PeerPlan> {
  const periods = new Map<string, { readonly period: Period; readonly entries: LogEntry[] }>();
  for (const entry of logs) {
    const period = periodOf(entry.path, now, olderThanMs);
    if (!period) continue;
    const known = periods.get(period.key);
    if (known) known.entries.push(entry);
    else periods.set(period.key, { period, entries: [entry] });
  }
  const isOnly = [...periods.values()].flatMap(({ entries }) => entries).length === 1;
  const groups: PackedGroup[] = [];
  const left: Problem[] = [];
  const packed = new Map<number, Lines[]>();
  for (const { period, entries } of [...periods.values()].sort((a, b) => (a.period.key < b.period.key ? -1 : 1))) {
    if (entries.reduce((bytes, { size }) => bytes + size, 0) > MAX_GROUP_BYTES) continue;
    const readable: (PackInput & LogContents)[] = [];
    for (const entry of entries) {
      const contents = await readContents(folder, entry);
      if ("code" in contents) left.push(contents);
      else if (contents.lines.size > 0) {
        readable.push({ entry, ...contents });
        onContents(contents);
      }
    }
    const earlier = [...packed].flatMap(([year, lines]) => (year < period.year ? lines : []));
    const joined = join(readable, earlier);
    const output = joined && (await packedFileFor(entries[0]!, joined.lines, period.lastDay));
    if (!output) {
      left.push(...readable.map(({ entry }) => (joined ? unnameable(entry) : disputed(entry))));
      continue;
    }
    const repeated = readable.filter((file) => joined.repeated.has(file));
    if (repeated.length > 0) groups.push({ inputs: repeated.map(toInput), operations: 0, output: undefined });
    if (joined.lines.size === 0) continue;
    const isPacked = readable.some(({ entry }) => entry.path === output.path);
    if (!isPacked && isOnly && !scattered.has(period.key)) continue;
    packed.set(period.year, [...(packed.get(period.year) ?? []), joined.lines]);
    const inputs = readable.filter((file) => file.entry.path !== output.path && !joined.repeated.has(file)).map(toInput);
    if (inputs.length > 0) groups.push({ inputs, operations: joined.lines.size, output });
  }
  return { groups, left };
}

function toInput({ entry, sha256 }: PackInput): PackInput {
  return { entry, sha256 };
}

/**
 * Joins the operations of files, except those of files whose operations are all in packed files of earlier years.
 * @param earlier operations of these packed files
 * @returns the operations, and the files left out; `undefined` if two operations with one id differ
 */
function join<File extends LogContents>(
  files: readonly File[],
  earlier: readonly Lines[],
): { readonly lines: Lines; readonly repeated: ReadonlySet<File> } | undefined {
  const lines = new Map<number, string>();
  const repeated = new Set<File>();
  for (const file of files) {
    let isRepeated = true;
    for (const [counter, line] of file.lines) {
      const known = earlier.map((each) => each.get(counter)).find((each) => each !== undefined);
      if (known !== undefined && known !== line) return undefined;
      isRepeated &&= known !== undefined;
    }
    if (isRepeated) repeated.add(file);
    else for (const [counter, line] of file.lines) if (!addLine(lines, counter, line)) return undefined;
  }
  return { lines, repeated };
}

export function stepsOf({ inputs, operations, output }: PackedGroup): PackStep[] {
  const joined = inputs.map(({ entry }) => entry.path);
  if (!output) return joined.map((file) => ({ kind: "fold", file }));
  return [{ kind: "pack", file: output.path, operations, joined }];
}

function unnameable({ path: file, treeId }: LogEntry): Problem {
  return { code: "FOLD_BAD_ID", reason: "its peer's or tree's id cannot name a file. The file is not packed", file, treeId };
}
