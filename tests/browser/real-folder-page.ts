import { errorCode, errorMessage, FoldspaceError } from "../../src/errors.ts";
import { queryAccess, recallFolder, rememberFolder, requestAccess, WebFileSystem } from "../../src/fs/web/index.ts";

/** What the page lets a test do from outside; see `real-folder.ts`. */
export interface RealFolderPage {
  /** Whether a folder was dropped on the page. */
  hasFolder(): boolean;
  queryAccess(): Promise<string>;
  remember(): Promise<void>;
  recall(): Promise<void>;
  /** Calls a method of the file system. Bytes go both ways as `{ base64 }`, failures come back as values. */
  call(method: string, args: readonly unknown[]): Promise<CallResult>;
  watch(id: number, path: string): Promise<void>;
  endWatch(id: number): Promise<void>;
}

export type CallResult = { readonly value: unknown } | { readonly error: { code: string; message: string; data: object } };

interface PageGlobals {
  realFolder: RealFolderPage;
  /** Given by the test. */
  onHint(id: number, hint: unknown): Promise<void>;
}

const globals = globalThis as unknown as PageGlobals;
let folder: FileSystemDirectoryHandle | undefined;
let fs: WebFileSystem | undefined;
const watches = new Map<number, () => Promise<void>>();

function use(handle: FileSystemDirectoryHandle | undefined): void {
  folder = handle;
  fs = handle && new WebFileSystem(handle);
}

globals.realFolder = {
  hasFolder: () => folder !== undefined,
  queryAccess: () => queryAccess(folder!),
  remember: () => rememberFolder("real", folder!),
  recall: async () => use(await recallFolder("real")),
  async call(method, args) {
    try {
      const methods = fs as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      return { value: encode(await methods[method]!(...args.map(decode))) };
    } catch (error) {
      const data = error instanceof FoldspaceError ? error.data : {};
      return { error: { code: errorCode(error) ?? "none", message: errorMessage(error), data } };
    }
  },
  async watch(id, path) {
    watches.set(id, await fs!.watch(path, (hint) => void globals.onHint(id, hint)));
  },
  async endWatch(id) {
    await watches.get(id)?.();
  },
};

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const item = event.dataTransfer!.items[0] as DataTransferItem & { getAsFileSystemHandle(): Promise<FileSystemDirectoryHandle> };
  void item.getAsFileSystemHandle().then(use);
});
document.addEventListener("click", () => void requestAccess(folder!));

function encode(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  let text = "";
  for (let start = 0; start < value.length; start += 8192) text += String.fromCharCode(...value.subarray(start, start + 8192));
  return { base64: btoa(text) };
}

function decode(value: unknown): unknown {
  const isBytes = typeof value === "object" && value !== null && "base64" in value;
  return isBytes ? Uint8Array.from(atob(String(value.base64)), (char) => char.charCodeAt(0)) : value;
}
