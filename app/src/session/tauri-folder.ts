import { recall, remember } from "./browser-settings.ts";
import type { FolderSource, OpenFolder } from "./folder-source.ts";

/** Folders of this computer in the desktop app, which gives the page access to folders that were chosen once. */
export const tauriFolder: FolderSource = {
  obstacle: undefined,

  async choose() {
    const { open } = await import("@tauri-apps/plugin-dialog");
    const path = await open({ directory: true, recursive: true, title: "Choose a folder for your notes" });
    return path === null ? undefined : await openPath(path);
  },

  async remember(spaceId, folder) {
    remember(`folder:${spaceId}`, folder.path);
  },

  async recall(spaceId) {
    const path = recall(`folder:${spaceId}`);
    return path === undefined ? undefined : await openPath(path);
  },

  async forget(spaceId) {
    remember(`folder:${spaceId}`, undefined);
  },
};

/**
 * Opens a folder. A window has access to a folder only after this request, and only if the folder was chosen once: calls for
 * other folders fail.
 * @param path absolute
 */
export async function openPath(path: string): Promise<OpenFolder> {
  const { invoke } = await import("@tauri-apps/api/core");
  await invoke("use_folder", { path });
  const { TauriFileSystem } = await import("foldspace/tauri");
  return { label: path, fs: new TauriFileSystem(), path, place: path, show: () => invoke("show_folder", { path }) };
}
