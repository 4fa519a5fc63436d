export { BridgeFileSystem } from "./bridge-file-system.ts";
export type { BridgeOptions } from "./bridge-file-system.ts";
export type { BridgeSocket } from "./link.ts";
export { openServedFolder } from "./served-folder.ts";
export type { ServedFolder } from "./served-folder.ts";
