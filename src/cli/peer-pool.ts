import { FilePeerPool } from "../peers/node/file-peer-pool.ts";
import { stateFolder } from "../peers/node/state-folder.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { Environment } from "./environment.ts";

/** The pool of the user who runs the command, so that its runs on a day write one file together. */
export function peerPoolOf({ variables }: Environment): PeerPool | "none" {
  const folder = stateFolder(variables);
  return folder === undefined ? "none" : new FilePeerPool(folder);
}
