import type { FileSystem } from "../file-system.ts";
import { absolutePath } from "../node/absolute-path.ts";
import { NodeFileSystem } from "../node/node-file-system.ts";

/** Opens the file system of the current platform: here, Node's. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return new NodeFileSystem();
}

export const hasPlatformFileSystem: boolean = true;

/** Makes a path in that file system independent of the process's working folder. */
export function absolutePlatformPath(path: string): string {
  return absolutePath(path);
}
