import type { FileSystem } from "../file-system.ts";

/** Opens the file system of the current platform: here, no known one. */
export async function openPlatformFileSystem(): Promise<FileSystem | undefined> {
  return undefined;
}

export const hasPlatformFileSystem: boolean = false;

/** Makes a path in that file system independent of the process's working folder. */
export function absolutePlatformPath(path: string): string {
  return path;
}
