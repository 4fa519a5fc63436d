import type { FileSystem } from "../file-system.ts";

/** The file system of the platform we run on: here, none that we know. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return undefined;
}

export const hasPlatformFileSystem: boolean = false;
