export { WebFileSystem } from "./web-file-system.ts";
export type { WebFileSystemOptions } from "./web-file-system.ts";
export { folderAccess, openPrivateFolder, pickFolder, queryAccess, requestAccess } from "./folder-access.ts";
export type { FolderAccess, PermissionAnswer } from "./folder-access.ts";
export { forgetFolder, recallFolder, rememberFolder } from "./remembered-folders.ts";
