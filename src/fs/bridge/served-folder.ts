import { FoldspaceError } from "../../errors.ts";
import { BridgeFileSystem } from "./bridge-file-system.ts";
import { BRIDGE_PATH, PROTOCOL, SERVED_PATH, type Machine, type ServerInfo } from "./protocol.ts";

/** The folder that the server of this page serves. */
export interface ServedFolder {
  /** Id of the space in it. */
  readonly spaceId: string;
  /** Full path on the machine, to be shown. */
  readonly path: string;
  /** Name of the folder, to be shown. */
  readonly name: string;
  /** Who uses the machine, where whoever started the server has said so. */
  readonly machine?: Machine;
  readonly fs: BridgeFileSystem;
}

const STORAGE_KEY = "foldspace.token";

/** Tabs ask each other for the token here. */
const CHANNEL = "foldspace.token";
const ASKING = "token?";
/** Another tab answers within this, or never, as one that the browser has put to sleep. */
const ANSWER_MS = 500;

/**
 * Finds the folder that `foldspace serve` serves to this page: the layer for it is
 * `new FileSystemPersistenceLayer("", served.spaceId, { fs: served.fs })`.
 *
 * The token comes with the fragment of the page's address, from where it is taken away, also when an address with a new
 * one is put into the tab later; until the tab is closed it is remembered, for when the page is loaded again. A tab that
 * has none, as a link opened in a new one, gets it from another that is open at the same address and connected.
 * @returns `undefined` where the page is one of another server
 * @throws FoldspaceError `FOLD_PERMISSION` where the server serves folders and no tab has its token;
 *   `FOLD_UNTRUSTED_SERVER` where what answers does not know the token; `FOLD_FOLDER_LOST` where there is no answer;
 *   `FOLD_UNAVAILABLE` where the server is of another version, or this page cannot prove anything
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
 * The same for who goes on without the folder until there is a connection, and knows what it has served before.
 * @returns the bridge, which is not connected yet
 * @throws FoldspaceError as `openServedFolder` while it has no token
 */
export async function openServedBridge(): Promise<BridgeFileSystem | undefined> {
  const tokens = [takeToken(), sessionStorage.getItem(STORAGE_KEY)].filter((token) => token !== null);
  if (tokens.length === 0) {
    // at once, so that a page of another server is not kept waiting
    const [server, given] = [fetchInfo(), askForToken()];
    given.catch(() => {
      // told below, where it matters
    });
    if (!(await server)) return undefined;
    tokens.push(await given);
  }
  // kept from now on for when the page is loaded again before there is a connection
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
      // the user has asked for that space here: the page begins again with it
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

/** Whether the page's address has a token that nobody has taken yet. */
export function hasAddressToken(): boolean {
  return addressToken() !== null;
}

function addressToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token") || null;
}

/** @param before fragment that the address gets in its place */
function takeToken(before: string = ""): string | null {
  const token = addressToken();
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search + before);
  return token;
}

/** @throws FoldspaceError `FOLD_PERMISSION` where no tab has it */
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
          reject(new FoldspaceError("FOLD_PERMISSION", "This address lacks its token: open the one that the server has printed")),
        ANSWER_MS,
      );
    });
  } finally {
    channel.close();
  }
}

/**
 * Answers tabs that ask for the token, for as long as the bridge is open and the server proves that it is the right one:
 * else the tab that asks may come from another.
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
 * @returns `undefined` where the server of this page serves no folders
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
  throw new FoldspaceError("FOLD_UNAVAILABLE", "The server is of another version than this page: load the page again");
}
