import { lstat, mkdir, readDir, stat } from "@tauri-apps/plugin-fs";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  IdentifiedStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
  WatchHint,
} from "../file-system.ts";
import { scanFolder } from "../scan-folder.ts";
import { KeyedMutex } from "../../mutex.ts";
import { Commands } from "./commands.ts";
import { failure, isMissing, isOutOfScope, tauriFileSystemError } from "./errors.ts";
import { kindOf, readRange, toStat } from "./read.ts";
import { watchFolder } from "./watch.ts";
import { appendTo, removeAll, renameOver, replaceFile } from "./write.ts";

/** Concurrent calls to the plugin. */
const WIDTH = 16;

/**
 * Files on this machine, through Tauri's fs plugin (`@tauri-apps/plugin-fs` and the crate `tauri-plugin-fs` with its
 * feature `watch`). Paths are absolute, as the dialog plugin returns them; paths with `..` are refused.
 *
 * If the application also has the crate `tauri-plugin-foldspace`, one call scans a folder and `append` can wait for the
 * device.
 */
export class TauriFileSystem implements FileSystem {
  readonly #commands = new Commands();
  /** A second append to a file waits for the first, so that undoing a partial append stays safe. */
  readonly #appends = new KeyedMutex();

  /** `sync` is known after the first scan. */
  get supports(): FileSystemSupport {
    return { watch: true, sync: this.#commands.canSync };
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    const entries = await unlessMissing("read the folder", path, () => readDir(path));
    return entries?.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const info = await unlessMissing("inspect", path, () => stat(path));
    return info && toStat(info);
  }

  /** Windows gives the page no numbers. Numbers above 2^53 arrive rounded, so two files could share one. */
  async identify(path: string): Promise<string | undefined> {
    return (await this.inspect(path))?.identity;
  }

  async inspect(path: string): Promise<IdentifiedStat | undefined> {
    const info = await unlessMissing("inspect", path, () => stat(path));
    return info && { ...toStat(info), identity: Number.isSafeInteger(info.ino) ? `${info.dev}:${info.ino}` : undefined };
  }

  /** Skips names that start with "." if the application's scope denies access to them, as it does by default. */
  async scan(path: string): Promise<ScanResult | undefined> {
    const call = await attempt("read the folder", path, () => this.#commands.scan(path));
    const found = call ? call.found : await scanByListing(path);
    return found && { files: found.files, unreadable: found.unreadable.filter((each) => !isHiddenFromUs(each)) };
  }

  async read(path: string, range: ByteRange = { offset: 0 }): Promise<Uint8Array | undefined> {
    return await unlessMissing("read", path, () => readRange(path, range));
  }

  async append(path: string, bytes: Uint8Array, options: AppendOptions = {}): Promise<void> {
    const append = (): Promise<void> => appendTo(this.#commands, path, bytes, { sync: false, create: true, ...options });
    await attempt("append to", path, () => this.#appends.run(path, append));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await attempt("write", path, () => replaceFile(this.#commands, path, bytes));
  }

  async makeDirectory(path: string): Promise<void> {
    await attempt("make the folder", path, () => mkdir(path, { recursive: true }));
  }

  async rename(from: string, to: string): Promise<void> {
    await attempt("rename", from, () => attempt("replace", to, () => renameOver(from, to)));
  }

  async remove(path: string): Promise<void> {
    await unlessMissing("remove", path, () => removeAll(path));
  }

  /** Skips folders whose name starts with ".". Waits for a missing folder. */
  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    return await attempt("watch", path, () => watchFolder(path, onHint));
  }
}

async function scanByListing(path: string): Promise<ScanResult | undefined> {
  return await scanFolder(
    {
      width: WIDTH,
      list: async (folder) => (await readDir(folder)).map((entry) => ({ name: entry.name, kind: kindOf(entry) })),
      // the plugin would report the link's target instead of the link
      measure: async (file, kind) => (kind === "other" ? { kind, size: 0, modifiedMs: 0 } : toStat(await lstat(file))),
      isMissing,
      explain: tauriFileSystemError,
    },
    path,
  );
}

function isHiddenFromUs({ path, error }: { readonly path: string; readonly error: Error }): boolean {
  return path.slice(path.lastIndexOf("/") + 1).startsWith(".") && isOutOfScope(error);
}

async function unlessMissing<T>(action: string, path: string, call: () => Promise<T>): Promise<T | undefined> {
  return await attempt(action, path, async () => {
    try {
      return await call();
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    }
  });
}

async function attempt<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  if (/(?:^|[\\/])\.\.(?:[\\/]|$)/.test(path)) throw failure("FOLD_IO", action, path, 'it contains ".."');
  try {
    return await call();
  } catch (cause) {
    throw tauriFileSystemError(action, path, cause);
  }
}
