import { FilePeerPool } from "../node/file-peer-pool.ts";
import { stateFolder } from "../node/state-folder.ts";
import type { PeerPool } from "../peer-pool.ts";

/** The pool of the current platform: here, in a folder of the user's own. `undefined` if the user has none. */
export function platformPeerPool(): PeerPool | undefined {
  const folder = stateFolder(process.env);
  return folder === undefined ? undefined : new FilePeerPool(folder);
}
