import { NodeFileSystem } from "../node/node-file-system.ts";
import { ConfinedFileSystem } from "../serving/confined-file-system.ts";
import { PortClient } from "./port-client.ts";
import { CHANNEL, type IpcMain, type PortRequest, type RequestingFrame } from "./ports.ts";

export type { IpcMain, MainPort, PortRequest, RequestingFrame } from "./ports.ts";

/** Options of `serveFolder`. */
export interface ServeFolderOptions {
  /**
   * Decides whether the page of a frame gets the folder. Compare the whole origin of `url`: a page of the web that was opened in a
   * window of the app asks in the same way.
   */
  readonly mayOpen: (frame: RequestingFrame) => boolean;
  /** Paths in the folder that pages may change, with everything below them. Default: all of the folder. */
  readonly writable?: readonly string[];
  /** Name of the channel, so that an app can serve several folders. Default: `"foldspace"`. */
  readonly channel?: string;
}

/** A folder that pages of the app can reach. */
export interface FolderOfPages {
  /** Full path of the folder, without links. */
  readonly path: string;
  /** Ends all connections. @returns resolves when every watch has ended */
  close(): Promise<void>;
}

/**
 * The side of the main process: gives pages of the app one folder, and nothing outside of it. Works with `contextIsolation` and
 * `sandbox`.
 * @param ipcMain that of Electron
 * @param path of an existing folder
 * @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_PERMISSION`
 */
export async function serveFolder(ipcMain: IpcMain, path: string, options: ServeFolderOptions): Promise<FolderOfPages> {
  const { mayOpen, writable = [""], channel = CHANNEL } = options;
  const fs = await ConfinedFileSystem.open(new NodeFileSystem(), path, writable);
  const clients = new Set<PortClient>();
  const connect = ({ ports, senderFrame }: PortRequest, token: unknown): void => {
    const [port] = ports;
    if (!port) return;
    if (typeof token !== "string" || token === "" || !senderFrame || !mayOpen(senderFrame)) {
      port.close();
      return;
    }
    const client = new PortClient(fs, port, token, () => clients.delete(client));
    clients.add(client);
  };
  ipcMain.on(channel, connect);
  return {
    path: fs.root,
    close: async () => {
      ipcMain.removeListener(channel, connect);
      await Promise.all(Array.from(clients, (client) => client.close()));
    },
  };
}
