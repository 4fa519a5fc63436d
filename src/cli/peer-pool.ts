import { FilePeerPool } from "../peers/node/file-peer-pool.ts";
import { stateFolder } from "../peers/node/state-folder.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { Environment } from "./environment.ts";

/**
 * The pool of the user who runs the command, so that its runs on a day write one file together. Each UTC day has peers of its own:
 * a peer makes no new file once it has been used.
 */
export function peerPoolOf({ variables }: Environment): PeerPool | "none" {
  const folder = stateFolder(variables);
  if (folder === undefined) return "none";
  const pool = new FilePeerPool(folder);
  return { lease: (spaceId) => pool.lease(`${spaceId} ${new Date().toISOString().slice(0, 10)}`) };
}
