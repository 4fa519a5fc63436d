export { TauriFileSystem } from "./tauri-file-system.ts";
