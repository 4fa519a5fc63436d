import { FoldspaceError } from "../../errors.ts";
import { BridgeFileSystem } from "./bridge-file-system.ts";
import { BRIDGE_PATH, PROTOCOL, SERVED_PATH, type ServedInfo } from "./protocol.ts";

/** The folder that the server of this page serves. */
export interface ServedFolder {
  /** Id of the space in it. */
  readonly spaceId: string;
  /** Full path on the machine, to be shown. */
  readonly path: string;
  /** Name of the folder, to be shown. */
  readonly name: string;
  readonly fs: BridgeFileSystem;
}

const STORAGE_KEY = "foldspace.token";
/** Says, also to tabs without a token, that this address is one of a server of folders. */
const SERVED_KEY = "foldspace.served";

/** Tabs ask each other for the token here. */
const CHANNEL = "foldspace.token";
const ASKING = "token?";
/** Another tab answers within this, or never, as one that the browser has put to sleep. */
const ANSWER_MS = 500;

/**
 * Finds the folder that `foldspace serve` serves to this page: the layer for it is
 * `new FileSystemPersistenceLayer("", served.spaceId, { fs: served.fs })`.
 *
 * The token comes with the fragment of the page's address, from where it is taken away; until the tab is closed it is
 * remembered, for when the page is loaded again. A tab that has none, as a link opened in a new one, gets it from another
 * that is open at the same address.
 * @returns `undefined` where the page was opened without a token, as one of another server is
 * @throws FoldspaceError `FOLD_PERMISSION` where the server does not take the token, or this browser knows that it serves a
 *   folder and no tab has the token; `FOLD_FOLDER_LOST` where there is no answer
 */
export async function openServedFolder(): Promise<ServedFolder | undefined> {
  const token = takeToken() ?? (await askForToken());
  if (token === undefined) return undefined;
  sessionStorage.setItem(STORAGE_KEY, token);
  localStorage.setItem(SERVED_KEY, "");
  const { spaceId, path, name } = await fetchInfo(token);
  handOn(token);
  const url = new URL(BRIDGE_PATH, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return { spaceId, path, name, fs: new BridgeFileSystem(url.href, { token }) };
}

function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

async function askForToken(): Promise<string | undefined> {
  if (localStorage.getItem(SERVED_KEY) === null) return undefined;
  const channel = new BroadcastChannel(CHANNEL);
  try {
    return await new Promise((resolve, reject) => {
      channel.addEventListener("message", ({ data }) => {
        if (isAnswer(data)) resolve(data.token);
      });
      channel.postMessage(ASKING);
      setTimeout(() => reject(refusal("This address lacks its token: open the one that the server has printed")), ANSWER_MS);
    });
  } finally {
    channel.close();
  }
}

/** Answers tabs that ask for the token, for as long as this one is open. */
function handOn(token: string): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data === ASKING) channel.postMessage({ token });
  });
}

function isAnswer(data: unknown): data is { readonly token: string } {
  return typeof data === "object" && data !== null && "token" in data && typeof data.token === "string";
}

function refusal(reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_PERMISSION", reason);
}

async function fetchInfo(token: string): Promise<ServedInfo> {
  let response: Response;
  try {
    response = await fetch(SERVED_PATH, { headers: { authorization: `Bearer ${token}` } });
  } catch (cause) {
    throw new FoldspaceError("FOLD_FOLDER_LOST", "The server of this page does not answer", { cause });
  }
  if (response.status === 401) {
    throw refusal("The server was started anew: open the address that it has printed");
  }
  if (!response.ok) throw new FoldspaceError("FOLD_FOLDER_LOST", `The server of this page answers ${response.status}`);
  const info = (await response.json()) as ServedInfo;
  if (info.protocol !== PROTOCOL) {
    throw new FoldspaceError("FOLD_UNAVAILABLE", "The server is of another version than this page: load the page again");
  }
  return info;
}
