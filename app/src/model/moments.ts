import { BIN_ID, isMoveVertexOp, type VertexOperation } from "foldspace/tree";
import { CREATED_KEY, TEXT_KEY } from "./item.ts";

/** Of a page with more operations than these, several changes are one moment, so that there are about as many. */
const MAX_MOMENTS = 500;
const PAUSE_MS = 5 * 60_000;

/** Operations of one peer that are stepped over together. */
export interface MomentOps {
  readonly peerId: string;
  readonly ops: readonly VertexOperation[];
  /** Time of the last creation in it, or of that peer's last one before it; `undefined` where there is none. */
  readonly at: number | undefined;
}

/**
 * Groups a tree's operations into moments, in an order in which they may have come about: what one peer did without taking
 * in anything newer from others stays together, and moments follow one another by their first counters. A moment ends where
 * the peer's counter jumps, where a deletion begins or ends, where more than five minutes passed between two creations, at
 * the next item, and where a text is not gone on with but becomes another.
 *
 * Operations carry no times; only a vertex keeps that of its creation, by its device's clock. So a moment happened at its
 * time at the earliest, or, if it has creations in it, about then.
 */
export function toMoments(ops: readonly VertexOperation[]): MomentOps[] {
  const fullOps = Math.ceil(ops.length / MAX_MOMENTS);
  const roots = new Set(ops.flatMap((op) => (isMoveVertexOp(op) && op.parentId === null ? [op.targetId] : [])));
  // what makes an empty page is no moment of its own
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

/** Whether it is about another item, or takes a text away. */
function isNext(own: readonly VertexOperation[], op: VertexOperation): boolean {
  if (op.targetId !== own.at(-1)?.targetId) return true;
  const text = textIn(op);
  if (text === undefined) return false;
  const before = own.findLast((each) => textIn(each) !== undefined);
  return before !== undefined && !text.startsWith(textIn(before) ?? "");
}

function textIn(op: VertexOperation): string | undefined {
  return !isMoveVertexOp(op) && op.key === TEXT_KEY && typeof op.value === "string" ? op.value : undefined;
}

function isDeletion(op: VertexOperation): boolean {
  return isMoveVertexOp(op) && op.parentId === BIN_ID;
}

/** A tree writes a vertex's time right behind the move that creates it. */
function creationTime(op: VertexOperation | undefined, targetId: string): number | undefined {
  if (!op || isMoveVertexOp(op) || op.key !== CREATED_KEY || op.targetId !== targetId || typeof op.value !== "string")
    return undefined;
  const time = Date.parse(op.value);
  return Number.isNaN(time) ? undefined : time;
}
