import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { BridgeFileSystem, type BridgeSocket } from "../../src/fs/bridge/index.ts";
import { startServer, type RunningServer, type ServeOptions } from "../../src/serve/server.ts";

export const SPACE_ID = "0123456789abcdef0123456789abcdef";

/** A folder that is served, and what reaches it. */
export interface Serving {
  /** Path of the folder on this machine. */
  readonly folder: string;
  /** Path of the app's folder; what else is in the folder around both is served to nobody. */
  readonly app: string;
  readonly server: RunningServer;
  readonly token: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  stop(): Promise<void>;
}

export async function serve(options: Partial<ServeOptions> = {}): Promise<Serving> {
  const around = await mkdtemp(join(tmpdir(), "foldspace-serve-"));
  const [folder, app] = [join(around, "folder"), join(around, "app")];
  for (const path of [folder, app]) await mkdir(path);
  await writeFile(join(app, "index.html"), "<!doctype html><title>app</title>");
  const server = await startServer({ path: folder, app, writable: [""], spaceId: SPACE_ID, ...options });
  const { port, url } = server;
  return {
    folder,
    app,
    server,
    token: tokenOf(url),
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      await server.close();
      await rm(around, { recursive: true, force: true });
    },
  };
}

export function tokenOf(url: string): string {
  return new URL(url).hash.replace("#token=", "");
}

/** A client in Node, whose WebSocket says where it is from, as a browser's does. */
export function connect(serving: Pick<Serving, "origin" | "token">): BridgeFileSystem {
  const url = `${serving.origin.replace("http", "ws")}/bridge`;
  return new BridgeFileSystem(url, { token: serving.token, openSocket: socketFrom(serving.origin) });
}

export function socketFrom(origin: string): (url: string, protocols: string[]) => BridgeSocket {
  return (url, protocols) => new WebSocket(url, protocols, { origin });
}
