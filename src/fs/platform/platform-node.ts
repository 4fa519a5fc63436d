import type { FileSystem } from "../file-system.ts";
import { NodeFileSystem } from "../node/node-file-system.ts";

/** Opens the file system of the current platform: here, Node's. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return new NodeFileSystem();
}

export const hasPlatformFileSystem: boolean = true;
