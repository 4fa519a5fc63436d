import type { OperationBatch } from "./operation-batch.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { ReplicatedTreeOptions } from "./tree-options.ts";

/** A tree of operations from log files, to be read. */
export class BatchTree extends ReplicatedTree {
  constructor(batch: OperationBatch, options: ReplicatedTreeOptions) {
    // a reader makes no operations, so any peer id will do
    super("reader", [], options);
    const vertices = new Int32Array(batch.idCount + 1);
    for (const slice of batch.slices(batch.length)) this.mergeSlice(slice, vertices, () => undefined);
  }
}
