import { FoldspaceError } from "../../errors.ts";
import { BridgeFileSystem } from "./bridge-file-system.ts";
import { BRIDGE_PATH, PROTOCOL, SERVED_PATH, type Machine, type ServerInfo } from "./protocol.ts";

/** The folder that this page's server serves. */
export interface ServedFolder {
  /** Id of the space in the folder. */
  readonly spaceId: string;
  /** Full path on the machine, for display. */
  readonly path: string;
  /** The same without links, so that it identifies the folder on the machine: a place for `SpaceRegistry.checkPlace`. */
  readonly realPath?: string;
  /** Name of the folder, for display. */
  readonly name: string;
  /** Who uses the machine, if the person who started the server has said so. */
  readonly machine?: Machine;
  readonly fs: BridgeFileSystem;
}

const STORAGE_KEY = "foldspace.token";

/** On this channel, tabs ask each other for the token. */
const CHANNEL = "foldspace.token";
const ASKING = "token?";
/** Another tab answers within this time or never, for example because the browser has suspended it. */
const ANSWER_MS = 500;

/**
 * Finds the folder that `foldspace serve` serves to this page. Its layer is
 * `new FileSystemPersistenceLayer("", served.spaceId, { fs: served.fs })`.
 *
 * The token comes from the fragment of the page's address and is removed from there, also if the user pastes an address
 * with a new token into the tab later. The tab remembers the token until it is closed, so that the page can be reloaded.
 * A tab without a token, such as one that a link opened, gets it from a connected tab at the same address.
 * @returns `undefined` if another kind of server serves the page
 * @throws FoldspaceError `FOLD_PERMISSION` if the server serves folders and no tab has its token;
 *   `FOLD_UNTRUSTED_SERVER` if the answering server does not know the token; `FOLD_FOLDER_LOST` if no server answers;
 *   `FOLD_UNAVAILABLE` if the server has another version, or this page cannot make proofs
 */
export async function openServedFolder(): Promise<ServedFolder | undefined> {
  const bridge = await openServedBridge();
  if (!bridge) return undefined;
  try {
    return { ...(await bridge.served()), fs: bridge };
  } catch (error) {
    bridge.close();
    throw error;
  }
}

/**
 * Like `openServedFolder`, for a caller that knows what the server has served before and works without the folder until
 * there is a connection.
 * @returns the bridge, which is not connected yet
 * @throws FoldspaceError like `openServedFolder` if it has no token
 */
export async function openServedBridge(): Promise<BridgeFileSystem | undefined> {
  const tokens = [takeToken(), sessionStorage.getItem(STORAGE_KEY)].filter((token) => token !== null);
  if (tokens.length === 0) {
    // both at once, so that a page of another server does not wait
    const [server, given] = [fetchInfo(), askForToken()];
    given.catch(() => {
      // handled below, if it matters
    });
    if (!(await server)) return undefined;
    tokens.push(await given);
  }
  // stored now, in case the page is reloaded before there is a connection
  if (sessionStorage.getItem(STORAGE_KEY) === null) sessionStorage.setItem(STORAGE_KEY, tokens[0]!);
  const [token, ...otherTokens] = tokens as [string, ...string[]];
  const url = new URL(BRIDGE_PATH, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let pasted: string | null = null;
  const bridge = new BridgeFileSystem(url.href, {
    token,
    otherTokens,
    onProven: (proven) => sessionStorage.setItem(STORAGE_KEY, proven),
    onOtherSpace: (proven) => {
      // the user has asked for that space in this tab: reload the page with it
      if (proven !== pasted) return;
      pasted = null;
      sessionStorage.setItem(STORAGE_KEY, proven);
      location.reload();
    },
  });
  addEventListener("hashchange", ({ oldURL }) => {
    if (bridge.isClosed) return;
    const offered = takeToken(new URL(oldURL).hash);
    if (offered === null) return;
    pasted = offered;
    bridge.offerToken(offered);
  });
  handOn(bridge);
  return bridge;
}

/** Whether the page's address contains a token that `takeToken` has not removed yet. */
export function hasAddressToken(): boolean {
  return addressToken() !== null;
}

function addressToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token") || null;
}

/** Removes the token from the page's address. @param before fragment that replaces it */
function takeToken(before: string = ""): string | null {
  const token = addressToken();
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search + before);
  return token;
}

/** @throws FoldspaceError `FOLD_PERMISSION` if no tab has the token */
async function askForToken(): Promise<string> {
  const channel = new BroadcastChannel(CHANNEL);
  try {
    return await new Promise((resolve, reject) => {
      channel.addEventListener("message", ({ data }) => {
        if (isAnswer(data)) resolve(data.token);
      });
      channel.postMessage(ASKING);
      setTimeout(
        () =>
          reject(
            new FoldspaceError("FOLD_PERMISSION", "This address lacks its token: open the address that the server has printed"),
          ),
        ANSWER_MS,
      );
    });
  } finally {
    channel.close();
  }
}

/**
 * Answers tabs that ask for the token while the bridge is open and the server proves that it is the right one. Otherwise
 * the asking tab may come from another server.
 */
function handOn(bridge: BridgeFileSystem): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data !== ASKING || bridge.isClosed) return;
    bridge.served().then(
      () => channel.postMessage({ token: bridge.token }),
      () => undefined,
    );
  });
}

function isAnswer(data: unknown): data is { readonly token: string } {
  return typeof data === "object" && data !== null && "token" in data && typeof data.token === "string";
}

/**
 * @returns `undefined` if this page's server serves no folders
 * @throws FoldspaceError `FOLD_FOLDER_LOST`, `FOLD_UNAVAILABLE`
 */
async function fetchInfo(): Promise<ServerInfo | undefined> {
  let info: Partial<ServerInfo>;
  try {
    const response = await fetch(SERVED_PATH);
    if (!response.ok || !response.headers.get("content-type")?.startsWith("application/json")) return undefined;
    info = (await response.json()) as Partial<ServerInfo>;
  } catch (cause) {
    throw new FoldspaceError("FOLD_FOLDER_LOST", "The server of this page does not answer", { cause });
  }
  if (info.protocol === undefined) return undefined;
  if (info.protocol === PROTOCOL) return { protocol: info.protocol };
  throw new FoldspaceError("FOLD_UNAVAILABLE", "The server has another version than this page: reload the page");
}
