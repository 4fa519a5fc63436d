import { recall, remember } from "./browser-settings.ts";
import type { FolderSource, OpenFolder } from "./folder-source.ts";

/** Folders of this computer, in the desktop app, which lets the page have those that were chosen once. */
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
 * A window reaches no folder before its page has said that it opens it, and only those that were chosen once: calls on
 * another fail.
 * @param path absolute
 */
export async function openPath(path: string): Promise<OpenFolder> {
  const { invoke } = await import("@tauri-apps/api/core");
  await invoke("use_folder", { path });
  const { TauriFileSystem } = await import("foldspace/tauri");
  return { label: path, fs: new TauriFileSystem(), path, show: () => invoke("show_folder", { path }) };
}
