import { recall, remember } from "./browser-settings.ts";
import type { FolderPurpose, FolderSource, OpenFolder } from "./folder-source.ts";

const TITLES: Readonly<Record<FolderPurpose, string>> = {
  notes: "Choose a folder for your notes",
  copy: "Choose an empty folder for the readable copy",
};

/** Folders of this computer in the desktop app, which gives the page access to folders that were chosen once. */
export const tauriFolder: FolderSource = {
  obstacle: undefined,

  async choose(purpose = "notes") {
    const { open } = await import("@tauri-apps/plugin-dialog");
    const path = await open({ directory: true, recursive: true, title: TITLES[purpose] });
    return path === null ? undefined : await openPath(path);
  },

  async remember(key, folder) {
    remember(`folder:${key}`, folder.path);
  },

  async recall(key) {
    const path = recall(`folder:${key}`);
    return path === undefined ? undefined : await openPath(path);
  },

  async forget(key) {
    remember(`folder:${key}`, undefined);
  },

  // the copy itself compares the paths
  placeForCopy: ({ fs, path }, notes) => Promise.resolve({ fs, path, spacePath: notes?.path }),
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
