import { randomId } from "../../random-id.ts";
import { BridgeFileSystem } from "../bridge/bridge-file-system.ts";
import { PortSocket } from "./port-socket.ts";
import { CHANNEL, type PortOffer } from "./ports.ts";

/** Options of `connectFolder`. */
export interface ConnectFolderOptions {
  /** Name of the channel on which the main process serves the folder. Default: `"foldspace"`. */
  readonly channel?: string;
}

/**
 * The side of the page: the folder that the main process serves with `serveFolder`. Paths are relative to that folder; `""` is the
 * folder itself. It connects with the first call, and again when the connection is lost.
 *
 * Without the main process or the preload script, calls fail with `FOLD_FOLDER_LOST`.
 * @throws FoldspaceError `FOLD_UNAVAILABLE` in a page without WebCrypto: give the scheme of the page the privilege `secure`
 */
export function connectFolder(options: ConnectFolderOptions = {}): BridgeFileSystem {
  const { channel = CHANNEL } = options;
  const token = randomId();
  return new BridgeFileSystem("electron:", {
    token,
    openSocket: () => {
      const { port1, port2 } = new MessageChannel();
      const offer: PortOffer = { foldspace: channel, token };
      // to this window only: the preload script listens there
      window.postMessage(offer, "/", [port2]);
      return new PortSocket(port1);
    },
  });
}
