export { BridgeFileSystem } from "./bridge-file-system.ts";
export type { BridgeOptions, ExpectedFolder } from "./bridge-file-system.ts";
export type { BridgeSocket } from "./link.ts";
export type { Machine, ServedInfo } from "./protocol.ts";
export { hasAddressToken, openServedBridge, openServedFolder } from "./served-folder.ts";
export type { ServedFolder } from "./served-folder.ts";
