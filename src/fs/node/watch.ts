import { watch } from "node:fs";
import { errorMessage, systemCode } from "../../errors.ts";
import type { WatchHint, WatchOptions } from "../file-system.ts";
import { RecursiveWatchBackend, type RecursiveWatch } from "../watch/recursive-watch.ts";
import { type WatchBackend, type WatchHost, watchRoot } from "../watch/watch-root.ts";
import type { Calls } from "./calls.ts";
import { fileSystemError, isMissing } from "./errors.ts";
import { PerFolderWatch } from "./per-folder-watch.ts";

/**
 * On Linux, every folder has its own watch: the recursive watch of Node 20 to 24.21 no longer reports a file there once it
 * was replaced (39 of 40 replacements missed). macOS and Windows have recursive watches of their own.
 */
export function watchFolder(
  calls: Calls,
  path: string,
  onHint: (hint: WatchHint) => void,
  { skips }: WatchOptions = {},
): Promise<() => Promise<void>> {
  const isRecursive = process.platform === "darwin" || process.platform === "win32";
  return isRecursive
    ? watchRecursively(calls, path, onHint)
    : watchWith((host) => new PerFolderWatch(host, calls, skips), calls, path, onHint);
}

export function watchRecursively(calls: Calls, path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
  return watchWith((host) => new RecursiveWatchBackend(host, recursiveWatch(calls, path)), calls, path, onHint);
}

async function watchWith(
  makeBackend: (host: WatchHost) => WatchBackend,
  calls: Calls,
  path: string,
  onHint: (hint: WatchHint) => void,
): Promise<() => Promise<void>> {
  const explain = (cause: unknown): string => fileSystemError("watch", path, cause).message;
  return watchRoot({ path, makeBackend, identify: () => identify(calls, path), explain }, onHint);
}

function recursiveWatch(calls: Calls, root: string): RecursiveWatch {
  return {
    begin({ onChange, onChangeAnywhere, onLoss }) {
      const watcher = watch(root, { recursive: true }, (type, name) => {
        if (name === null) onChangeAnywhere("the system did not say what changed");
        else onChange(name.replaceAll("\\", "/"), type === "rename");
      }).on("error", (error) => onLoss(errorMessage(error)));
      return () => watcher.close();
    },
    async foldersIn(path) {
      try {
        if (!(await calls.lstat(path)).isDirectory()) return undefined;
        const entries = await calls.readdir(path);
        return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw cause;
      }
    },
  };
}

/** Device and inode of the folder at a path. */
async function identify(calls: Calls, path: string): Promise<string | undefined> {
  try {
    const stats = await calls.stat(path);
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch (error) {
    if (isMissing(error) || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
