import type { OpenFolder } from "./folder-source.ts";
import { openPath } from "./tauri-folder.ts";

/** Whether this page is shown by the desktop app, and not by a browser. */
export const isDesktop: boolean = "isTauri" in globalThis;

/** What the menu of the window, and the system, ask for. */
export interface WindowRequests {
  readonly openFolder: () => void;
  readonly showFolder: () => void;
  /** The window goes when this has settled, and a few seconds later in any case. */
  readonly save: () => Promise<void>;
  /** The page has given a file, which is there now. @param path `undefined` where the system does not tell */
  readonly onFileSaved: (path: string | undefined) => void;
}

/** Does what is asked of this window from now on. */
export async function followWindow({ openFolder, showFolder, save, onFileSaved }: WindowRequests): Promise<void> {
  const { getCurrentWebviewWindow } = await import("@tauri-apps/api/webviewWindow");
  const window = getCurrentWebviewWindow();
  const close = async (): Promise<void> => {
    // no browser says it here: what is being written is put into the tree
    dispatchEvent(new Event("pagehide"));
    try {
      await save();
    } finally {
      await window.destroy();
    }
  };
  await window.listen<string>("window-request", ({ payload }) => {
    if (payload === "open-folder") openFolder();
    else if (payload === "show-folder") showFolder();
    else if (payload === "closing") void close();
  });
  await window.listen<string | null>("file-saved", ({ payload }) => onFileSaved(payload ?? undefined));
}

/** The folder that this window was opened for. */
export async function folderOfWindow(): Promise<OpenFolder | undefined> {
  if (!isDesktop) return undefined;
  const { invoke } = await import("@tauri-apps/api/core");
  const path = await invoke<string | null>("folder_of_window");
  return path === null ? undefined : await openPath(path);
}
