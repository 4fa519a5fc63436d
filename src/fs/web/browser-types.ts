/** What browsers have and TypeScript's library does not declare, all of it optional. */

export type PermissionAnswer = "granted" | "prompt" | "denied";

export interface PermissionHandle extends FileSystemHandle {
  queryPermission?(descriptor: { mode: "read" | "readwrite" }): Promise<PermissionAnswer>;
  requestPermission?(descriptor: { mode: "read" | "readwrite" }): Promise<PermissionAnswer>;
}

export interface MovableFile extends FileSystemFileHandle {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** Browsers that know no modes ignore it. */
export interface WritableOptions extends FileSystemCreateWritableOptions {
  readonly mode?: "exclusive" | "siloed";
}

/** What was observed; see https://developer.mozilla.org/docs/Web/API/FileSystemChangeRecord */
export interface ChangeRecord {
  readonly type: "appeared" | "disappeared" | "modified" | "moved" | "errored" | "unknown";
  /** Names from the observed folder down to what changed. */
  readonly relativePathComponents: readonly string[];
  readonly relativePathMovedFrom: readonly string[] | null;
  /** `null` for what is gone. */
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

/** Looked at anew each time, as tests replace parts of it. */
export function browserGlobals(): BrowserGlobals {
  return globalThis as unknown as BrowserGlobals;
}
