import { build } from "esbuild";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type BrowserContext, type Page } from "playwright";
import { FoldspaceError, type FoldspaceErrorCode } from "../../src/errors.ts";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
  WatchHint,
} from "../../src/fs/file-system.ts";
import { CHROMIUM_ARGS, findChromium } from "./chromium.ts";
import type { RealFolderPage } from "./real-folder-page.ts";

declare const realFolder: RealFolderPage;

/** Serves the page with the code under test, which browsers give files only over http. */
export async function servePage(): Promise<{ url: string; close: () => void }> {
  const entry = fileURLToPath(new URL("real-folder-page.ts", import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "iife", write: false });
  const html = `<!doctype html><meta charset="utf-8"><title>Folder</title><script>${outputFiles[0]!.text}</script>`;
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

export interface BrowserOptions {
  /** Where the browser keeps what outlasts it. */
  readonly profile: string;
  /** X display to show its window on; without a window by default. */
  readonly display?: string;
}

export async function openBrowser({ profile, display }: BrowserOptions): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(profile, {
    executablePath: findChromium()!,
    args: [...CHROMIUM_ARGS],
    headless: display === undefined,
    ...(display === undefined ? {} : { env: { ...process.env, DISPLAY: display } }),
  });
}

/** Starts an X server without a screen. */
export async function startDisplay(): Promise<{ display: string; stop: () => void }> {
  const server = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const number = await new Promise<string>((resolve, reject) => {
    server.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
  });
  return { display: `:${number}`, stop: () => void server.kill() };
}

/** Drops a folder on a page, which gives the page the right to read it. */
export async function dropFolder(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    await session.send("Input.dispatchDragEvent", { type, x: 100, y: 100, data });
  }
  await page.waitForFunction(() => realFolder.hasFolder());
}

/** The {@link FileSystem} of a page, as if it were here. */
export class RemoteFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { watch: true, sync: false };
  readonly #page: Page;
  readonly #listeners: Map<number, (hint: WatchHint) => void> = new Map();

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(page: Page): Promise<RemoteFileSystem> {
    const remote = new RemoteFileSystem(page);
    await page.exposeFunction("onHint", (id: number, hint: WatchHint) => remote.#listeners.get(id)?.(hint));
    return remote;
  }

  list = (path: string): Promise<DirectoryEntry[] | undefined> => this.#call("list", path);
  stat = (path: string): Promise<FileStat | undefined> => this.#call("stat", path);
  scan = (path: string): Promise<ScanResult | undefined> => this.#call("scan", path);
  read = (path: string, range?: ByteRange): Promise<Uint8Array | undefined> => this.#call("read", path, range);
  append = (path: string, bytes: Uint8Array, options: AppendOptions = {}): Promise<void> =>
    this.#call("append", path, bytes, options);
  write = (path: string, bytes: Uint8Array): Promise<void> => this.#call("write", path, bytes);
  makeDirectory = (path: string): Promise<void> => this.#call("makeDirectory", path);
  rename = (from: string, to: string): Promise<void> => this.#call("rename", from, to);
  remove = (path: string): Promise<void> => this.#call("remove", path);

  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    const id = this.#listeners.size;
    this.#listeners.set(id, onHint);
    await this.#page.evaluate((watch) => realFolder.watch(...watch), [id, path] as const);
    return () => this.#page.evaluate((watch) => realFolder.endWatch(watch), id);
  }

  async #call<T>(method: string, ...args: unknown[]): Promise<T> {
    const encoded = args.map((arg) => (arg instanceof Uint8Array ? { base64: Buffer.from(arg).toString("base64") } : arg));
    const result = await this.#page.evaluate((call) => realFolder.call(...call), [method, encoded] as const);
    if ("error" in result) {
      const { code, message, data } = result.error;
      throw new FoldspaceError(code as FoldspaceErrorCode, message, { data: data as Record<string, unknown> });
    }
    const { value } = result;
    const isBytes = typeof value === "object" && value !== null && "base64" in value;
    return (isBytes ? new Uint8Array(Buffer.from(String(value.base64), "base64")) : value) as T;
  }
}
