/** Features of browsers that TypeScript's library does not declare. All are optional. */

/** Whether the page may use the folder: yes, only if the user agrees, or no. */
export type PermissionAnswer = "granted" | "prompt" | "denied";

export interface PermissionHandle extends FileSystemHandle {
  queryPermission?(descriptor: { mode: "read" | "readwrite" }): Promise<PermissionAnswer>;
  requestPermission?(descriptor: { mode: "read" | "readwrite" }): Promise<PermissionAnswer>;
}

export interface MovableFile extends FileSystemFileHandle {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** Browsers without modes ignore this option. */
export interface WritableOptions extends FileSystemCreateWritableOptions {
  readonly mode?: "exclusive" | "siloed";
}

/** An observed change; see https://developer.mozilla.org/docs/Web/API/FileSystemChangeRecord */
export interface ChangeRecord {
  readonly type: "appeared" | "disappeared" | "modified" | "moved" | "errored" | "unknown";
  /** Names from the observed folder down to the changed entry. */
  readonly relativePathComponents: readonly string[];
  readonly relativePathMovedFrom: readonly string[] | null;
  /** `null` if the entry is gone. */
  readonly changedHandle: FileSystemHandle | null;
}

export interface Observer {
  observe(handle: FileSystemHandle, options: { recursive: boolean }): Promise<void>;
  disconnect(): void;
}

export interface BrowserGlobals {
  readonly FileSystemObserver?: new (callback: (records: readonly ChangeRecord[]) => void) => Observer;
  readonly showDirectoryPicker?: (options?: {
    readonly id?: string;
    readonly mode?: "read" | "readwrite";
  }) => Promise<FileSystemDirectoryHandle>;
}

/** Read anew each time, because tests replace parts of it. */
export function browserGlobals(): BrowserGlobals {
  return globalThis as unknown as BrowserGlobals;
}
