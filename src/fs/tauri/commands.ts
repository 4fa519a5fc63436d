import { invoke, type InvokeArgs, type InvokeOptions } from "@tauri-apps/api/core";
import { errorMessage } from "../../errors.ts";
import { joinPath, type AppendOptions, type ScanResult } from "../file-system.ts";
import { tauriFileSystemError } from "./errors.ts";

/** Tauri's answer if the application has no such command or does not grant it. A command itself never answers this. */
const ABSENT = /^(?:Command|plugin) [^\n]* not (?:found|allowed)|^foldspace\.\S+ not allowed/;

/** The folder has so many files that one answer would take too much memory. */
const TOO_MANY = /^too many files/;

/** Answer of `scan`. Paths are relative to the folder, with `/` between their parts. */
interface Scanned {
  /** Path, size in bytes, time of the last change in milliseconds since the epoch. */
  readonly files: readonly (readonly [string, number, number])[];
  readonly others: readonly string[];
  /** Path and reason. */
  readonly unreadable: readonly (readonly [string, string])[];
}

/** The commands of the crate `tauri-plugin-foldspace`, if the application has it. A refused command is never called again. */
export class Commands {
  #isAnyThere = false;
  readonly #absent: Set<string> = new Set();

  /** Whether `append` is known to exist. */
  get canSync(): boolean {
    return this.#isAnyThere && !this.#absent.has("append");
  }

  /**
   * Lists a folder with everything below it.
   * @returns `undefined` if the command cannot be used; `found` is `undefined` if there is no such folder
   */
  async scan(path: string): Promise<{ readonly found: ScanResult | undefined } | undefined> {
    try {
      const call = await this.#call<Scanned | null>("scan", { path });
      return call && { found: call.answer ? toScanResult(path, call.answer) : undefined };
    } catch (cause) {
      if (TOO_MANY.test(errorMessage(cause))) return undefined;
      throw cause;
    }
  }

  /**
   * Appends to a file in an existing folder.
   * @returns `false` if there is no such command
   */
  async append(path: string, bytes: Uint8Array, { sync, create }: Required<AppendOptions>): Promise<boolean> {
    const headers = { path: encodeURIComponent(path), sync: String(sync), create: String(create) };
    return (await this.#call<null>("append", bytes, { headers })) !== undefined;
  }

  async #call<T>(command: string, args: InvokeArgs, options?: InvokeOptions): Promise<{ readonly answer: T } | undefined> {
    if (this.#absent.has(command)) return undefined;
    try {
      const answer = await invoke<T>(`plugin:foldspace|${command}`, args, options);
      this.#isAnyThere = true;
      return { answer };
    } catch (cause) {
      if (!ABSENT.test(errorMessage(cause))) throw cause;
      this.#absent.add(command);
      return undefined;
    }
  }
}

function toScanResult(root: string, { files, others, unreadable }: Scanned): ScanResult {
  return {
    files: [
      ...files.map(([path, size, modifiedMs]) => ({ path, kind: "file" as const, size, modifiedMs })),
      ...others.map((path) => ({ path, kind: "other" as const, size: 0, modifiedMs: 0 })),
    ],
    unreadable: unreadable.map(([path, cause]) => ({
      path,
      error: tauriFileSystemError("read", joinPath(root, path), cause),
    })),
  };
}
