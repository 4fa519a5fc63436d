import { lstat, readDir, stat, watchImmediate } from "@tauri-apps/plugin-fs";
import type { WatchHint } from "../file-system.ts";
import { type ChangeListener, RecursiveWatchBackend, type RecursiveWatch } from "../watch/recursive-watch.ts";
import { watchRoot } from "../watch/watch-root.ts";
import { isMissing, isWindowsPath, tauriFileSystemError } from "./errors.ts";
import { kindOf } from "./read.ts";
import { readWatchEvent } from "./watch-event.ts";

/** The plugin reports a new folder before it watches it, and never reports changes in between. */
const RESCAN_AFTER_MS = 300;

/** @returns a function that ends the watch */
export function watchFolder(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
  const watch: RecursiveWatch = {
    begin: (listener) => beginWatching(path, listener),
    foldersIn,
    rescanAfterMs: RESCAN_AFTER_MS,
  };
  return watchRoot(
    {
      path,
      makeBackend: (host) => new RecursiveWatchBackend(host, watch),
      identify: () => identify(path),
      explain: (cause) => tauriFileSystemError("watch", path, cause).message,
    },
    onHint,
  );
}

async function beginWatching(root: string, listener: ChangeListener): Promise<() => void> {
  const rootPrefix = `${withSlashes(root).replace(/\/+$/, "")}/`;
  const onEvent = (event: unknown): void => {
    const change = readWatchEvent(event);
    if (change === undefined) return;
    if (change === "lost") return listener.onLoss("so much changed at once that the system dropped events");
    if (change.paths.length === 0) return listener.onChangeAnywhere("the system did not say what changed");
    for (const path of change.paths.map(withSlashes)) {
      if (path.startsWith(rootPrefix)) listener.onChange(path.slice(rootPrefix.length), change.mayBeNewFolder);
      else if (`${path}/` !== rootPrefix)
        listener.onChangeAnywhere("the system named a path that does not start with the path of the folder");
      else if (change.mayBeGone) listener.onLoss("the folder was replaced");
      else listener.onChange("", false);
    }
  };
  const watcher: unknown = await watchImmediate(root, onEvent, { recursive: true });
  return () => endWatching(watcher);
}

/** Version 2 of the plugin gives a function, version 3 an object. */
function endWatching(watcher: unknown): void {
  if (typeof watcher === "function") watcher();
  // fails if the watch has ended already
  else (watcher as { close(): Promise<void> }).close().catch(() => undefined);
}

function withSlashes(path: string): string {
  return isWindowsPath(path) ? path.replaceAll("\\", "/") : path;
}

async function foldersIn(path: string): Promise<string[] | undefined> {
  try {
    if (!(await lstat(path)).isDirectory) return undefined;
    return (await readDir(path)).filter((entry) => kindOf(entry) === "directory").map((entry) => entry.name);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw tauriFileSystemError("read the folder", path, cause);
  }
}

/** Device and inode of the folder at a path, or the device and the time of its creation if there is no inode. */
async function identify(path: string): Promise<string | undefined> {
  try {
    const { isDirectory, dev, ino, birthtime } = await stat(path);
    return isDirectory ? `${dev}:${ino ?? birthtime?.getTime()}` : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
