import { FoldspaceError } from "../../src/errors.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";

const WRITING: ReadonlySet<string> = new Set(["append", "write", "makeDirectory", "rename", "remove"]);

/** The real file system, on which every change from a certain one on fails, as if the machine had stopped there. */
export class FailingFileSystem extends FaultyFileSystem {
  /** Calls that would have changed something, those that failed included. */
  writes = 0;

  constructor(failAt: number) {
    super(new NodeFileSystem({ io: "sync" }));
    this.fault = ({ action, path }) => {
      if (!WRITING.has(action) || ++this.writes < failAt) return undefined;
      return new FoldspaceError("FOLD_READ_ONLY", `Cannot write: the disk is read-only (${path})`);
    };
  }
}

/** A disk that nothing can be written to. */
export function readOnlyFileSystem(): FailingFileSystem {
  return new FailingFileSystem(1);
}
