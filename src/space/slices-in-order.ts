import type { VertexOperation } from "../tree/index.ts";

/**
 * Divides operations into slices by their counters: no operation's counter is below one of an earlier slice. Inside a slice they
 * keep the given order if counters are used about evenly, as they mostly are: that is cheaper than sorting.
 *
 * @param sliceOps largest number of operations in a slice
 */
export function slicesInOrder(ops: readonly VertexOperation[], sliceOps: number): VertexOperation[][] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  let isRising = true;
  for (const { id } of ops) {
    if (id.counter < highest) isRising = false;
    else highest = id.counter;
    if (id.counter < lowest) lowest = id.counter;
  }
  // the order in which one peer made them
  if (isRising) return cut(ops, sliceOps);
  const count = Math.ceil(ops.length / sliceOps);
  const slices = Array.from({ length: count }, (): VertexOperation[] => []);
  const width = (highest - lowest + 1) / count;
  // an operation without a valid counter is refused when it is merged
  for (const op of ops) (slices[Math.floor((op.id.counter - lowest) / width)] ?? slices[0]!).push(op);
  return slices.flatMap((slice) => {
    if (slice.length > sliceOps) slice.sort((a, b) => a.id.counter - b.id.counter);
    return cut(slice, sliceOps);
  });
}

/** Parts of at most this length, in the given order. */
export function cut(ops: readonly VertexOperation[], sliceOps: number): VertexOperation[][] {
  const parts: VertexOperation[][] = [];
  for (let start = 0; start < ops.length; start += sliceOps) parts.push(ops.slice(start, start + sliceOps));
  return parts;
}
