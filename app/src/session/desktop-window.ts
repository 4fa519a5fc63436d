import type { OpenFolder } from "./folder-source.ts";
import { openPath } from "./tauri-folder.ts";

/** Whether the desktop app shows this page, and not a browser. */
export const isDesktop: boolean = "isTauri" in globalThis;

/** Requests of the window's menu and of the system. */
export interface WindowRequests {
  readonly openFolder: () => void;
  readonly showFolder: () => void;
  /** The window closes after this, but after a few seconds in any case. */
  readonly save: () => Promise<void>;
  /** The page has saved a file, which exists now. @param path `undefined` if the system does not report it */
  readonly onFileSaved: (path: string | undefined) => void;
}

/** Handles requests to this window from now on. */
export async function followWindow({ openFolder, showFolder, save, onFileSaved }: WindowRequests): Promise<void> {
  const { getCurrentWebviewWindow } = await import("@tauri-apps/api/webviewWindow");
  const window = getCurrentWebviewWindow();
  const close = async (): Promise<void> => {
    // the desktop app does not fire the browser's events: drafts are stored here
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
