import { webCrypto } from "../../web-crypto.ts";
import { systemClock, type Clock } from "../../clock.ts";
import { errorCode, errorMessage, FoldspaceError, isFoldspaceError } from "../../errors.ts";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
  WatchHint,
} from "../file-system.ts";
import { KeyedMutex } from "../../mutex.ts";
import type { BridgeSocket, RemoteService } from "./link.ts";
import { untrustedServer } from "./proof.ts";
import { MAX_CONTENT_BYTES, PROTOCOL, tooMuch, type ServedInfo, type WatchedHint } from "./protocol.ts";
import { ReconnectingLink } from "./reconnecting-link.ts";
import { Semaphore } from "../../semaphore.ts";

/** Options of a connection to `foldspace serve`. */
export interface BridgeOptions {
  /** The secret that this client and the server prove to each other that they know. It is never sent. */
  readonly token: string;
  /** Further tokens that may be the server's. They are tried if the server does not know the first. */
  readonly otherTokens?: readonly string[];
  /** Default: the `WebSocket` of the platform. */
  readonly openSocket?: (url: string, protocols: string[]) => BridgeSocket;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Called with the token whenever the server has proven that it knows it. */
  readonly onProven?: (token: string) => void;
  /** Called with a token that the server knows if the server serves another folder or space than this client expects. */
  readonly onOtherSpace?: (token: string) => void;
}

/** Concurrent calls. More would only wait on the other side. */
const MAX_CALLS = 16;
/** Bytes that one message appends: few enough not to delay other calls. */
const APPEND_BYTES = 4 * 1024 * 1024;

/** The folder that a server served before. */
export interface ExpectedFolder {
  readonly spaceId: string;
  readonly path: string;
  readonly realPath?: string;
}

interface Watch {
  readonly path: string;
  readonly onHint: (hint: WatchHint) => void;
}

/**
 * The folder that `foldspace serve` serves. Paths are relative to that folder; `""` is the folder itself. Nothing
 * outside it can be reached.
 *
 * Without a connection every call fails with `FOLD_FOLDER_LOST`. The bridge tries to connect again with delays from
 * 0.25 s to 10 s. Each watch gets a rescan hint when the connection is lost, and another when it is back.
 * A server that does not prove that it knows the token receives nothing: calls fail with `FOLD_UNTRUSTED_SERVER` until
 * the right server answers at that address.
 *
 * An append may have any length; readers may see a part of it before it ends. One call reads or writes at most 15 MiB
 * (otherwise `FOLD_IO`): read a larger file in ranges.
 */
export class BridgeFileSystem implements FileSystem {
  readonly #link: ReconnectingLink;
  readonly #semaphore = new Semaphore(MAX_CALLS);
  readonly #watches = new Map<number, Watch>();
  /** The parts of two appends to one file must not mix. */
  readonly #appends = new KeyedMutex();
  #supports: FileSystemSupport = { watch: true, sync: true };
  #served: ServedInfo | undefined;
  #expected: ExpectedFolder | undefined;
  readonly #onOtherSpace: (token: string) => void;
  #lastWatch = 0;
  #isClosed = false;

  /**
   * @param url of the server's bridge, such as `ws://127.0.0.1:PORT/bridge`
   * @throws FoldspaceError `FOLD_UNAVAILABLE` on a page without WebCrypto
   */
  constructor(url: string, options: BridgeOptions) {
    // every connection begins with a proof
    webCrypto();
    const { token, otherTokens = [], clock = systemClock, onProven = () => undefined } = options;
    const { openSocket = (to, protocols) => new WebSocket(to, protocols) } = options;
    this.#onOtherSpace = options.onOtherSpace ?? (() => undefined);
    const target = { openSocket: () => openSocket(url, [PROTOCOL]), host: hostOf(url), clock };
    this.#link = new ReconnectingLink(target, [token, ...otherTokens], {
      prepare: async (remote, provenToken) => await this.#prepare(remote, provenToken),
      onReady: onProven,
      onHints: (hints) => this.#emit(hints),
      onLost: (reason) => this.#emitAll(reason),
    });
  }

  /**
   * Describes the folder that the server serves.
   * @throws FoldspaceError `FOLD_FOLDER_LOST`, `FOLD_UNTRUSTED_SERVER`, `FOLD_UNAVAILABLE` if the server does not describe it
   */
  async served(): Promise<ServedInfo> {
    await this.#call("inspect", "", async () => undefined);
    if (this.#served) return this.#served;
    throw new FoldspaceError("FOLD_UNAVAILABLE", "The server does not say what it serves");
  }

  /**
   * Has the server show the folder in the file manager of its machine.
   * @throws FoldspaceError `FOLD_UNAVAILABLE` where it cannot
   */
  async showFolder(): Promise<void> {
    await this.#call("show", "", (remote) => remote.showFolder());
  }

  /** The token that the server has proven to know, or that is tried next. */
  get token(): string {
    return this.#link.token;
  }

  /** Tries one more token if there is no connection, for example because the server was restarted. The token that the server knows is kept. */
  offerToken(token: string): void {
    this.#link.offerToken(token);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * From now on, a server that serves another folder is not used: it may be a copy with the same id. Without this call, the first
   * folder that is served is the expected one.
   */
  expect(folder: ExpectedFolder): void {
    this.#expected ??= folder;
  }

  /** Whether appends can be synced to the device is known after the first connection. */
  get supports(): FileSystemSupport {
    return this.#supports;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    return await this.#call("read the folder", path, (remote) => remote.list(path));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return await this.#call("inspect", path, (remote) => remote.stat(path));
  }

  async scan(path: string): Promise<ScanResult | undefined> {
    return await this.#call("read the folder", path, (remote) => remote.scan(path));
  }

  async read(path: string, range: ByteRange = { offset: 0 }): Promise<Uint8Array | undefined> {
    const { offset, length } = range;
    const bytes = await this.#call("read", path, (remote) =>
      length === undefined ? remote.read(path, offset) : remote.read(path, offset, length),
    );
    // `bytes` is a view of the message; the reader may transfer its buffer to a worker
    return bytes?.slice();
  }

  async append(path: string, bytes: Uint8Array, options: AppendOptions = {}): Promise<void> {
    await this.#appends.run(path, () => this.#appendParts(path, bytes, options));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_CONTENT_BYTES) throw tooMuch("write", path);
    await this.#call("write", path, (remote) => remote.write(path, bytes));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#call("make the folder", path, (remote) => remote.makeDirectory(path));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call("rename", from, (remote) => remote.rename(from, to));
  }

  async remove(path: string): Promise<void> {
    await this.#call("remove", path, (remote) => remote.remove(path));
  }

  /** Without a connection, the watch begins once there is one. */
  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    const id = ++this.#lastWatch;
    const remote = await this.#link.remote().catch(() => undefined);
    if (this.#isClosed) throw this.#lost("watch", path, "it has been closed");
    // from now on, every new connection begins this watch
    this.#watches.set(id, { path, onHint });
    try {
      await remote?.watch(id, path);
    } catch (error) {
      // keep the watch when only the connection is lost
      if (isFoldspaceError(error)) {
        this.#watches.delete(id);
        throw error;
      }
    }
    return async () => await this.#unwatch(id);
  }

  /** Ends the connection and every watch. Later calls fail with `FOLD_CLOSED`. */
  close(): void {
    this.#isClosed = true;
    this.#watches.clear();
    this.#link.close();
  }

  async #appendParts(path: string, bytes: Uint8Array, { sync = false, create = true }: AppendOptions): Promise<void> {
    let at = 0;
    do {
      const part = bytes.subarray(at, at + APPEND_BYTES);
      const isFirst = at === 0;
      at += part.length;
      const isSynced = sync && at === bytes.length;
      await this.#call("append to", path, (remote) => remote.append(path, part, isSynced, create && isFirst));
    } while (at < bytes.length);
  }

  async #unwatch(id: number): Promise<void> {
    if (!this.#watches.delete(id)) return;
    try {
      await (await this.#link.remote()).unwatch(id);
    } catch {
      // without a connection there is no watch to end
    }
  }

  /** Restores the watches on a new connection. */
  async #prepare(remote: RemoteService, token: string): Promise<void> {
    const { sync, served } = await remote.hello();
    // the owner of this file system has chosen that folder
    if (this.#expected && served && !isSameFolder(this.#expected, served)) {
      this.#onOtherSpace(token);
      const isOther = served.spaceId !== this.#expected.spaceId;
      throw untrustedServer(isOther ? "it serves another space" : `it serves another folder, ${served.path}`);
    }
    if (served) this.#expected = served;
    this.#served = served;
    this.#supports = { watch: true, sync };
    for (const [id, { path }] of this.#watches) {
      try {
        await remote.watch(id, path);
      } catch (error) {
        // a refused watch must not prevent the others; watches only save time
        if (!isFoldspaceError(error)) throw error;
      }
    }
    this.#emitAll("the connection is back");
  }

  #emitAll(reason: string): void {
    this.#emit(Array.from(this.#watches.keys(), (id) => ({ id, hint: { kind: "rescan", reason } })));
  }

  /** Runs each receiver in its own task, so that an error that it throws does not reach the bridge. */
  #emit(hints: readonly WatchedHint[]): void {
    for (const { id, hint } of hints) queueMicrotask(() => this.#watches.get(id)?.onHint(hint));
  }

  async #call<T>(action: string, path: string, run: (remote: RemoteService) => Promise<T>): Promise<T> {
    return await this.#semaphore.run(async () => {
      try {
        return await run(await this.#link.remote());
      } catch (error) {
        const isOfFile = isFoldspaceError(error) && error.code !== "FOLD_UNTRUSTED_SERVER";
        throw isOfFile ? error : this.#lost(action, path, errorMessage(error), error);
      }
    });
  }

  #lost(action: string, path: string, reason: string, cause?: unknown): FoldspaceError {
    const isDistrusted = errorCode(cause) === "FOLD_UNTRUSTED_SERVER";
    const code = this.#isClosed ? "FOLD_CLOSED" : isDistrusted ? "FOLD_UNTRUSTED_SERVER" : "FOLD_FOLDER_LOST";
    return new FoldspaceError(code, `Cannot ${action} ${path === "" ? "the served folder" : path}: ${reason}`, {
      data: { path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function isSameFolder(expected: ExpectedFolder, served: ServedInfo): boolean {
  if (expected.spaceId !== served.spaceId) return false;
  return expected.path === served.path || (expected.realPath !== undefined && expected.realPath === served.realPath);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}
