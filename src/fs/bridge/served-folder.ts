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

/**
 * Finds the folder that `foldspace serve` serves to this page: the layer for it is
 * `new FileSystemPersistenceLayer("", served.spaceId, { fs: served.fs })`.
 *
 * The token comes with the fragment of the page's address, from where it is taken away; until the tab is closed it is
 * remembered, for when the page is loaded again.
 * @returns `undefined` where the page was opened without a token, as one of another server is
 * @throws FoldspaceError `FOLD_PERMISSION` where the server does not take the token, `FOLD_FOLDER_LOST` where there is no answer
 */
export async function openServedFolder(): Promise<ServedFolder | undefined> {
  const token = takeToken();
  if (token === undefined) return undefined;
  const { spaceId, path, name } = await fetchInfo(token);
  const url = new URL(BRIDGE_PATH, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return { spaceId, path, name, fs: new BridgeFileSystem(url.href, { token }) };
}

function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
  sessionStorage.setItem(STORAGE_KEY, token);
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

async function fetchInfo(token: string): Promise<ServedInfo> {
  let response: Response;
  try {
    response = await fetch(SERVED_PATH, { headers: { authorization: `Bearer ${token}` } });
  } catch (cause) {
    throw new FoldspaceError("FOLD_FOLDER_LOST", "The server of this page does not answer", { cause });
  }
  if (response.status === 401) {
    throw new FoldspaceError("FOLD_PERMISSION", "The server was started anew: open the address that it has printed");
  }
  if (!response.ok) throw new FoldspaceError("FOLD_FOLDER_LOST", `The server of this page answers ${response.status}`);
  const info = (await response.json()) as ServedInfo;
  if (info.protocol !== PROTOCOL) {
    throw new FoldspaceError("FOLD_UNAVAILABLE", "The server is of another version than this page: load the page again");
  }
  return info;
}
