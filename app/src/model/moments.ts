import { BIN_ID, isMoveVertexOp, type VertexOperation } from "foldspace/tree";
import { CREATED_KEY, NOTE_KEY, TEXT_KEY } from "./item.ts";

/** On longer pages, a moment contains several changes, so that there are about this many moments. */
const MAX_MOMENTS = 500;
const PAUSE_MS = 5 * 60_000;

/** Operations of one peer that the history steps over together. */
export interface MomentOps {
  readonly peerId: string;
  readonly ops: readonly VertexOperation[];
  /** Time of the last creation in it, or of that peer's last creation before it; `undefined` if there was none. */
  readonly at: number | undefined;
}

/**
 * Groups a tree's operations into moments, in an order in which they may have been made. Operations that one peer made without
 * receiving newer ones stay together, and moments are sorted by their first counters. A moment ends if the peer's counter
 * jumps, if a deletion begins or ends, after more than five minutes between two creations, at the next item, and if a text or
 * note is not continued but replaced.
 *
 * Operations contain no times; only a vertex has its creation time, by its device's clock. So the time of a moment is the
 * earliest possible one; if the moment contains creations, it is about right.
 */
export function toMoments(ops: readonly VertexOperation[]): MomentOps[] {
  const fullOps = Math.ceil(ops.length / MAX_MOMENTS);
  const roots = new Set(ops.flatMap((op) => (isMoveVertexOp(op) && op.parentId === null ? [op.targetId] : [])));
  // the operations that make an empty page are not a moment of their own
  const isFull = (own: readonly VertexOperation[]): boolean =>
    own.length >= fullOps && own.some(({ targetId }) => !roots.has(targetId));
  const ofPeers = new Map<string, VertexOperation[]>();
  for (const op of ops) {
    const own = ofPeers.get(op.id.peerId);
    if (own) own.push(op);
    else ofPeers.set(op.id.peerId, [op]);
  }
  const moments = [...ofPeers].flatMap(([peerId, own]) =>
    momentsOf(
      peerId,
      own.sort((a, b) => a.id.counter - b.id.counter),
      isFull,
    ),
  );
  const firstCounter = ({ ops: [first] }: MomentOps): number => first!.id.counter;
  return moments.sort((a, b) => firstCounter(a) - firstCounter(b) || (a.peerId < b.peerId ? -1 : 1));
}

function momentsOf(
  peerId: string,
  ops: readonly VertexOperation[],
  isFull: (own: readonly VertexOperation[]) => boolean,
): MomentOps[] {
  const moments: MomentOps[] = [];
  let current: VertexOperation[] = [];
  let at: number | undefined;
  const end = (): void => {
    if (current.length > 0) moments.push({ peerId, ops: current, at });
    current = [];
  };
  for (const [index, op] of ops.entries()) {
    const before = current.at(-1);
    const creation = isMoveVertexOp(op) ? creationTime(ops[index + 1], op.targetId) : undefined;
    const isPause = creation !== undefined && at !== undefined && creation - at > PAUSE_MS;
    if (before && (isPause || isBorder(before, op) || (isFull(current) && isNext(current, op)))) end();
    at = creation ?? at;
    current.push(op);
  }
  end();
  return moments;
}

function isBorder(before: VertexOperation, op: VertexOperation): boolean {
  return op.id.counter !== before.id.counter + 1 || isDeletion(op) !== isDeletion(before);
}

/** Whether it concerns another item, or removes a part of its text or note. */
function isNext(own: readonly VertexOperation[], op: VertexOperation): boolean {
  if (op.targetId !== own.at(-1)?.targetId) return true;
  const key = [TEXT_KEY, NOTE_KEY].find((each) => textIn(op, each) !== undefined);
  if (key === undefined) return false;
  const before = own.findLast((each) => textIn(each, key) !== undefined);
  return before !== undefined && !textIn(op, key)!.startsWith(textIn(before, key)!);
}

function textIn(op: VertexOperation, key: string): string | undefined {
  return !isMoveVertexOp(op) && op.key === key && typeof op.value === "string" ? op.value : undefined;
}

function isDeletion(op: VertexOperation): boolean {
  return isMoveVertexOp(op) && op.parentId === BIN_ID;
}

/** A tree writes a vertex's time right after the move that creates it. */
function creationTime(op: VertexOperation | undefined, targetId: string): number | undefined {
  if (!op || isMoveVertexOp(op) || op.key !== CREATED_KEY || op.targetId !== targetId || typeof op.value !== "string")
    return undefined;
  const time = Date.parse(op.value);
  return Number.isNaN(time) ? undefined : time;
}
