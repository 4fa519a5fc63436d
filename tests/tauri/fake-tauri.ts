import { constants, type Stats } from "node:fs";
import * as fsp from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { InvokeOptions } from "@tauri-apps/api/core";
import { onTestFinished } from "vitest";
import { foldspaceCommand } from "./fake-commands.ts";
import { FakeWatcher, type PluginEvent } from "./fake-watcher.ts";
import { isError } from "../../src/errors.ts";

export interface Call {
  /** As it is invoked, such as `plugin:fs|read_file`. */
  readonly command: string;
  /** In headers, where the command has bytes for a body. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly body?: Uint8Array;
}

export interface FakeTauriOptions {
  /** Whether the application has the crate `tauri-plugin-foldspace`. */
  readonly hasCommands?: boolean;
}

/**
 * Tauri's side of the messages that `@tauri-apps/plugin-fs` sends, on real files: answers, and refuses, in the words of
 * the crate. What goes wrong on purpose is set from outside.
 */
export class FakeTauri {
  /** What a call is rejected with; `undefined` lets it through. Runs before anything is done. */
  fault: (call: Call) => string | undefined | Promise<string | undefined> = () => undefined;
  /** What the system has for an inode of this machine: Windows has nothing. */
  inodeFor: (ino: number) => number | null = (ino) => ino;
  /** Which paths the scope of the fs plugin allows. */
  inScope: (path: string) => boolean = () => true;
  /** What becomes of an event; `undefined` loses it. */
  onEvent: (event: PluginEvent) => unknown = (event) => event;
  /** Most bytes that one read of an open file answers. */
  maxReadBytes: number = Infinity;
  readonly calls: Call[] = [];
  readonly #hasCommands: boolean;
  readonly #callbacks: Map<number, (message: unknown) => void> = new Map();
  readonly #resources: Map<number, { close(): unknown }> = new Map();
  readonly #channels: Map<number, { index: number; readonly send: (message: unknown) => void }> = new Map();
  #lastId = 0;

  constructor({ hasCommands = false }: FakeTauriOptions = {}) {
    this.#hasCommands = hasCommands;
  }

  /** Makes this the Tauri of the page until the test ends. */
  static install(options?: FakeTauriOptions): FakeTauri {
    const fake = new FakeTauri(options);
    const page = globalThis as Record<string, unknown>;
    page["window"] = globalThis;
    page["__TAURI_INTERNALS__"] = {
      invoke: (command: string, args: unknown, invokeOptions?: InvokeOptions) => fake.#invoke(command, args, invokeOptions),
      transformCallback: (callback: (message: unknown) => void) => fake.#addCallback(callback),
      unregisterCallback: (id: number) => fake.#callbacks.delete(id),
    };
    onTestFinished(() => fake.close());
    return fake;
  }

  /** Files and watches that are open. */
  get openResources(): number {
    return this.#resources.size;
  }

  /** Paths of the calls of one command so far. */
  pathsOf(command: string): unknown[] {
    return this.calls.filter((call) => call.command === command).map((call) => call.args["path"]);
  }

  /** Sends an event to everybody who watches. */
  emit(event: unknown): void {
    for (const channel of this.#channels.values()) channel.send({ index: channel.index++, message: event });
  }

  /** Ends all watches without a word, as a crash of their thread does. */
  async killWatchers(): Promise<void> {
    for (const id of this.#channels.keys()) await this.#resources.get(id)?.close();
    this.#channels.clear();
  }

  async close(): Promise<void> {
    for (const resource of this.#resources.values()) await resource.close();
    this.#resources.clear();
    this.#channels.clear();
  }

  async #invoke(command: string, args: unknown, options?: InvokeOptions): Promise<unknown> {
    const call = toCall(command, args, options);
    this.calls.push(call);
    const fault = await this.fault(call);
    // the plugin's errors are strings
    // oxlint-disable-next-line typescript/only-throw-error
    if (fault !== undefined) throw fault;
    for (const name of ["path", "oldPath", "newPath"]) {
      const path = call.args[name];
      if (typeof path !== "string") continue;
      // oxlint-disable-next-line typescript/only-throw-error
      if (!isAbsolute(path) || !this.inScope(path)) throw `forbidden path: ${path}`;
    }
    try {
      return await this.#answer(call);
    } catch (error) {
      // oxlint-disable-next-line typescript/only-throw-error
      throw inWordsOfTheCrate(call, error);
    }
  }

  #fileInfo(stats: Stats): Record<string, unknown> {
    return { ...toFileInfo(stats), ino: this.inodeFor(stats.ino) };
  }

  #answer(call: Call): Promise<unknown> {
    const [plugin, command] = call.command.replace(/^plugin:/, "").split("|");
    if (plugin === "fs") return this.#fsCommand(command ?? "", call);
    if (plugin === "resources") return this.#closeResource(call.args["rid"] as number);
    if (plugin === "foldspace" && this.#hasCommands) return foldspaceCommand(command ?? "", call, this.inScope);
    return Promise.reject(`${plugin}.${command} not allowed. Plugin not found`);
  }

  async #fsCommand(command: string, { args, body = new Uint8Array() }: Call): Promise<unknown> {
    const path = args["path"] as string;
    const options = (args["options"] ?? {}) as Record<string, unknown>;
    const rid = args["rid"] as number;
    switch (command) {
      case "read_dir":
        return (await fsp.readdir(path, { withFileTypes: true })).map((entry) => ({
          name: entry.name,
          isFile: entry.isFile(),
          isDirectory: entry.isDirectory(),
          isSymlink: entry.isSymbolicLink(),
        }));
      case "stat":
        return this.#fileInfo(await fsp.stat(path));
      case "lstat":
        return this.#fileInfo(await fsp.lstat(path));
      case "read_file":
        return toArrayBuffer(await fsp.readFile(path));
      case "write_file": {
        const { O_APPEND, O_WRONLY } = constants;
        const appending = options["create"] === false ? O_WRONLY | O_APPEND : "a";
        const flag = options["append"] === true ? appending : options["createNew"] === true ? "wx" : "w";
        return await fsp.writeFile(path, body, { flag, mode: (options["mode"] as number | undefined) ?? 0o666 });
      }
      case "truncate":
        return await fsp.truncate(path, args["len"] as number);
      case "mkdir":
        return void (await fsp.mkdir(path, { recursive: options["recursive"] === true }));
      case "remove":
        return await fsp.rm(path, { recursive: options["recursive"] === true });
      case "rename":
        return await fsp.rename(args["oldPath"] as string, args["newPath"] as string);
      case "open":
        return this.#addResource(new OpenFile(await fsp.open(path)));
      case "seek":
        return this.#file(rid).seek(args["offset"] as number);
      case "read":
        return await this.#file(rid).read(Math.min(args["len"] as number, this.maxReadBytes));
      case "watch":
        return this.#watch((args["paths"] as string[])[0] ?? "", args["onEvent"] as { readonly id: number });
      default:
        return await Promise.reject(`fs.${command} not allowed. Command not found`);
    }
  }

  #watch(path: string, { id }: { readonly id: number }): number {
    const send = (message: unknown): void => this.#callbacks.get(id)?.(message);
    const channel = { index: 0, send };
    const watcher = new FakeWatcher(path, (event) => {
      const told = this.onEvent(event);
      if (told !== undefined) send({ index: channel.index++, message: told });
    });
    const rid = this.#addResource(watcher);
    this.#channels.set(rid, channel);
    return rid;
  }

  #file(rid: number): OpenFile {
    const file = this.#resources.get(rid);
    if (!(file instanceof OpenFile)) throw new Error(`The resource id ${rid} is invalid`);
    return file;
  }

  #addCallback(callback: (message: unknown) => void): number {
    this.#callbacks.set(++this.#lastId, callback);
    return this.#lastId;
  }

  #addResource(resource: { close(): unknown }): number {
    this.#resources.set(++this.#lastId, resource);
    return this.#lastId;
  }

  async #closeResource(rid: number): Promise<void> {
    const resource = this.#resources.get(rid);
    if (!resource) throw new Error(`The resource id ${rid} is invalid`);
    this.#resources.delete(rid);
    this.#channels.delete(rid);
    await resource.close();
  }
}

class OpenFile {
  readonly #file: fsp.FileHandle;
  #position = 0;

  constructor(file: fsp.FileHandle) {
    this.#file = file;
  }

  seek(position: number): number {
    this.#position = position;
    return position;
  }

  /** The bytes, and then how many there are in eight more. */
  async read(length: number): Promise<ArrayBuffer> {
    const bytes = Buffer.alloc(length + 8);
    const { bytesRead } = await this.#file.read(bytes, 0, length, this.#position);
    this.#position += bytesRead;
    bytes.writeBigUInt64BE(BigInt(bytesRead), bytesRead);
    return toArrayBuffer(bytes.subarray(0, bytesRead + 8));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function toCall(command: string, args: unknown, options: InvokeOptions | undefined): Call {
  if (!(args instanceof Uint8Array)) return { command, args: (args ?? {}) as Record<string, unknown> };
  const headers = options?.headers as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (/[^\x20-\x7e]/.test(value)) throw new TypeError(`The header ${name} is not plain: ${value}`);
  }
  const { path = "", options: written, ...others } = headers;
  const parsed = written === undefined ? {} : { options: JSON.parse(written) as unknown };
  // sent at once, whatever the caller does with its bytes afterwards
  return { command, args: { path: decodeURIComponent(path), ...parsed, ...others }, body: args.slice() };
}

function toFileInfo(stats: Stats): Record<string, unknown> {
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    size: stats.size,
    mtime: Math.floor(stats.mtimeMs),
    atime: null,
    birthtime: null,
    dev: stats.dev,
    mode: stats.mode,
  };
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** The text before the number is in the language of the user. */
function inWordsOfTheCrate(call: Call, error: unknown): unknown {
  // it may be of another realm
  if (!isError(error)) return error;
  const number = "errno" in error ? ` (os error ${Math.abs(Number(error.errno))})` : "";
  return `failed to do ${call.command} at path: ${String(call.args["path"])} with error: ${error.message.split(",")[0]}${number}`;
}
