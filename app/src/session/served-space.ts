import { errorCode } from "foldspace";
import { openServedBridge, type BridgeFileSystem, type Machine } from "foldspace/bridge";
import type { OpenFolder } from "./folder-source.ts";

/** The space that this page's server serves to it. */
export type Served =
  /** The page comes from a server that serves no folders. */
  | { readonly kind: "nothing" }
  | {
      readonly kind: "space";
      readonly id: string;
      readonly folder: OpenFolder;
      readonly machine: Machine | undefined;
      readonly isNew: boolean;
    }
  /** It serves a folder that is not available now. `bridge`: continues to retry */
  | { readonly kind: "away"; readonly failure: unknown; readonly bridge?: BridgeFileSystem };

/** The address of a server of folders, without the token that opens one. */
export class BareAddressError extends Error {
  override readonly name = "BareAddressError";
}

/** Finds the space that `foldspace serve` serves to this page. */
export async function findServedSpace(): Promise<Served> {
  let bridge: BridgeFileSystem | undefined;
  try {
    bridge = await openServedBridge();
    if (!bridge) return { kind: "nothing" };
    const { spaceId, machine, isNew = false, ...served } = await bridge.served();
    return { kind: "space", id: spaceId, folder: servedFolder(bridge, served), machine, isNew };
  } catch (error) {
    if (bridge) return { kind: "away", failure: error, bridge };
    const isBare = errorCode(error) === "FOLD_PERMISSION";
    return { kind: "away", failure: isBare ? new BareAddressError("The address lacks its token", { cause: error }) : error };
  }
}

export interface ServedPlace {
  /** Path of the folder on the machine, for display. */
  readonly path: string;
  readonly realPath?: string;
  readonly canShowFolder?: boolean;
}

export function servedFolder(bridge: BridgeFileSystem, { path, realPath = path, canShowFolder }: ServedPlace): OpenFolder {
  return { label: path, fs: bridge, path: "", place: realPath, ...(canShowFolder && { show: () => bridge.showFolder() }) };
}
