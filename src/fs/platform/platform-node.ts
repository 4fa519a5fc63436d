import type { FileSystem } from "../file-system.ts";
import { NodeFileSystem } from "../node/node-file-system.ts";

/** The file system of the platform we run on: here, Node's. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return new NodeFileSystem();
}

export const hasPlatformFileSystem: boolean = true;
