import { OPS_DIR, treeIdOfFolder } from "../../log/paths.ts";
import type { Trace } from "../../trace.ts";
import type { SpaceFolder } from "./space-folder.ts";

/**
 * Reports the file system's hints to the trace.
 * @returns takes the full path of a changed folder, or `undefined` for a hint at everything; `undefined` while tracing is off
 */
export function traceHints(trace: Trace | undefined, folder: SpaceFolder): ((directory: string | undefined) => void) | undefined {
  return (
    trace &&
    ((directory) => {
      const file = directory?.slice(folder.path.length).replace(/^\/+/, "");
      const isInOps = file?.startsWith(`${OPS_DIR}/`) ?? false;
      trace.emit("hint", { treeId: isInOps ? treeIdOfFolder(file!.slice(OPS_DIR.length + 1)) : undefined, file });
    })
  );
}
