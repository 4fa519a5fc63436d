import { FoldspaceError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";

const WRITING: readonly string[] = ["append", "write", "makeDirectory", "rename", "remove"] satisfies (keyof FileSystem)[];

export interface FailingFileSystem extends FileSystem {
  /** Calls that would have changed something, those that failed included. */
  readonly writes: number;
}

/** The real file system, on which every change from a certain one on fails, as if the machine had stopped there. */
export function failingFileSystem(failAt: number): FailingFileSystem {
  const counted = { writes: 0 };
  return new Proxy(new NodeFileSystem({ io: "sync" }), {
    get(target, name) {
      if (name === "writes") return counted.writes;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]): Promise<unknown> => {
        if (WRITING.includes(String(name)) && ++counted.writes >= failAt) {
          throw new FoldspaceError("FOLD_READ_ONLY", `Cannot write: the disk is read-only (${String(args[0])})`);
        }
        return (await Reflect.apply(member, target, args)) as unknown;
      };
    },
  }) as unknown as FailingFileSystem;
}

/** A disk that nothing can be written to. */
export function readOnlyFileSystem(): FailingFileSystem {
  return failingFileSystem(1);
}
