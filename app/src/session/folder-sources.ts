import { isDesktop } from "./desktop-window.ts";
import type { FolderSource } from "./folder-source.ts";
import { pickedFolder } from "./picked-folder.ts";
import { tauriFolder } from "./tauri-folder.ts";

/** The source of folders on this platform. */
export const folderSource: FolderSource = isDesktop ? tauriFolder : pickedFolder;
