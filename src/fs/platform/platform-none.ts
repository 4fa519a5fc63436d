import type { FileSystem } from "../file-system.ts";

/** Opens the file system of the current platform: here, no known one. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return undefined;
}

export const hasPlatformFileSystem: boolean = false;
