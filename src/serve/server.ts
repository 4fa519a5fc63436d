import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { FoldspaceError, systemCode } from "../errors.ts";
import { BRIDGE_PATH, PROTOCOL, SERVED_PATH, type Machine, type ServerInfo } from "../fs/bridge/protocol.ts";
import { fileSystemError } from "../fs/node/errors.ts";
import { NodeFileSystem } from "../fs/node/node-file-system.ts";
import { Access, newToken } from "./access.ts";
import { AppFiles } from "./app-files.ts";
import { BridgeConnections } from "./bridge-connections.ts";
import { ConfinedFileSystem } from "../fs/serving/confined-file-system.ts";
import { securityHeaders } from "./security-headers.ts";

export interface ServeOptions {
  /** Full path of the folder to serve. */
  readonly path: string;
  /** Paths in the folder that clients may change, with everything below them. Default: none. */
  readonly writable?: readonly string[];
  /** Id of the space in the folder. */
  readonly spaceId: string;
  /** Reads the id that the space has now, for each new client: a client can give it another one. Default: it stays. */
  readonly readSpaceId?: () => Promise<string | undefined>;
  /** Folder of the built web app, with its `index.html`. */
  readonly app: string;
  /** Folder of the app in which a file's name changes with its content, so that browsers may keep the files for good. */
  readonly hashedFiles?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** The secret that a client must prove that it knows. Default: a random one. */
  readonly token?: string;
  /** Who uses the machine. Pages decide by it what they keep in the browser. Default: pages ask. */
  readonly machine?: Machine | undefined;
  /** Whether the space was just made, and has nothing in it. Default: no. */
  readonly isNew?: boolean;
  /** Called for a request that names another address than the server's, or comes from a foreign page: once for each of the first few. */
  readonly onRefused?: (request: RefusedRequest) => void;
  /** Shows the folder in the file manager of this machine, for clients that ask for it. Default: they cannot. */
  readonly showFolder?: () => Promise<void>;
}

/** Where a request that was refused came from: what it says itself. */
export interface RefusedRequest {
  /** The address that it named, such as `localhost:9000`. */
  readonly host: string;
  /** The page that made it. */
  readonly origin: string | undefined;
  /** Which addresses are accepted, in words. */
  readonly expected: string;
}

export interface RunningServer {
  /** Address of the app, with the token in its fragment, which browsers never send. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting requests and ends connections and watches. Resolves within 2 seconds. */
  close(): Promise<void>;
}

const SERVER_INFO: ServerInfo = { protocol: PROTOCOL };
const HOST = "127.0.0.1";
const MAX_URL_LENGTH = 2048;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_NOTED_REFUSALS = 5;
/** Concurrent connections, counted from the first byte: a page opens six. */
const MAX_CONNECTIONS = 256;
/** How long a client may take to send its request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long connections and watches may take to end. */
const CLOSE_TIMEOUT_MS = 1_500;

/**
 * Serves a web app and a folder to the browsers of this machine. A client and the server prove to each other that they
 * know the token. A proven client reads the folder and changes its writable paths; it reaches nothing outside the folder.
 * @throws FoldspaceError `FOLD_NOT_FOUND` (folder or app), `FOLD_BUSY` (port), `FOLD_PERMISSION`, `FOLD_BAD_VALUE` (token)
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { path, spaceId, port = 0, token = newToken(), machine, isNew = false, showFolder, readSpaceId, onRefused } = options;
  // what may be refused comes before the port is taken
  const access = new Access(token);
  const app = await AppFiles.open(options.app, options.hashedFiles);
  const folder = await ConfinedFileSystem.open(new NodeFileSystem(), path, options.writable);
  const http = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  http.maxConnections = MAX_CONNECTIONS;
  const boundPort = await listen(http, port);
  const served = { spaceId, path, realPath: folder.root, name: basename(path), isNew, ...(machine && { machine }) };
  const bridge = new BridgeConnections(folder, served, systemClock, { showFolder, readSpaceId });
  const headers = securityHeaders(boundPort);
  const noteRefusal = refusalNoter(onRefused, access);
  http.on("request", (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void answer(request, response, access, app, noteRefusal);
  });
  http.on("upgrade", (request, socket, head) => {
    const refusal = refusalOf(request, access) ?? refusalOfClient(request, bridge);
    if (!access.isFromHere(request)) noteRefusal(request);
    if (refusal === undefined) bridge.accept(request, socket, head, access.beginProof(request));
    else refuse(socket, refusal);
  });
  return { url: `http://${HOST}:${boundPort}/#token=${token}`, port: boundPort, close: () => close(http, bridge) };
}

async function listen(http: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(port, HOST, resolve);
    });
  } catch (cause) {
    if (systemCode(cause) !== "EADDRINUSE") throw fileSystemError("listen at", `${HOST}:${port}`, cause);
    throw new FoldspaceError("FOLD_BUSY", `Another program uses port ${port}: choose another port`, { data: { port }, cause });
  }
  return (http.address() as AddressInfo).port;
}

/** A page of another origin may send requests without end. */
function refusalNoter(onRefused: ServeOptions["onRefused"], access: Access): (request: IncomingMessage) => void {
  const noted = new Set<string>();
  return (request) => {
    const { host = "", origin } = request.headers;
    const key = JSON.stringify([host, origin]);
    if (!onRefused || noted.has(key) || noted.size >= MAX_NOTED_REFUSALS) return;
    noted.add(key);
    onRefused({ host, origin, expected: access.describeAddresses(request) });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  app: AppFiles,
  noteRefusal: (request: IncomingMessage) => void,
): Promise<void> {
  const refusal = refusalOf(request, access);
  if (refusal === 403) {
    noteRefusal(request);
    response.writeHead(403, { connection: "close", "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : `${access.describeAddresses(request)}\n`);
    return;
  }
  if (refusal !== undefined) {
    response.writeHead(refusal, { connection: "close", ...(refusal === 405 ? { allow: "GET, HEAD" } : {}) }).end();
    return;
  }
  const { pathname } = toUrl(request)!;
  if (pathname !== SERVED_PATH) return await app.answer(pathname, request, response);
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(JSON.stringify(SERVER_INFO));
}

/** Status that refuses a request, whatever its path. */
function refusalOf(request: IncomingMessage, access: Access): number | undefined {
  if (!access.isFromHere(request)) return 403;
  if (request.method !== "GET" && request.method !== "HEAD") return 405;
  if ((request.url?.length ?? 0) > MAX_URL_LENGTH) return 414;
  return toUrl(request) === undefined ? 400 : undefined;
}

function refusalOfClient(request: IncomingMessage, bridge: BridgeConnections): number | undefined {
  if (toUrl(request)?.pathname !== BRIDGE_PATH) return 404;
  // every browser sends the origin of a page that connects
  if (request.headers.origin === undefined) return 403;
  if (!asksFor(request, PROTOCOL)) return 426;
  return bridge.areFull ? 503 : undefined;
}

function asksFor({ headers }: IncomingMessage, protocol: string): boolean {
  return headers["sec-websocket-protocol"]?.split(",").some((name) => name.trim() === protocol) ?? false;
}

function refuse(socket: Duplex, status: number): void {
  // the client may disconnect before the answer arrives
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** @returns `undefined` if no browser would send such a URL */
function toUrl(request: IncomingMessage): URL | undefined {
  const url = request.url ?? "";
  return url.startsWith("/") && !url.startsWith("//") && URL.canParse(url, "http://here")
    ? new URL(url, "http://here")
    : undefined;
}

async function close(http: Server, bridge: BridgeConnections): Promise<void> {
  const stopped = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
  await Promise.race([Promise.all([bridge.close(), stopped]), tooLong]);
  clearTimeout(timer);
  http.closeAllConnections();
  await stopped;
}
