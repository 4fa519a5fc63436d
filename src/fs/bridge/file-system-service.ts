import { createBirpc, type BirpcReturn } from "birpc";
import { isBytes } from "../../bytes.ts";
import { errorMessage, FoldspaceError } from "../../errors.ts";
import type { WatchingFileSystem } from "../file-system.ts";
import { HintQueue } from "./hint-queue.ts";
import {
  decodeRequest,
  encodeMessage,
  MAX_CONTENT_BYTES,
  MAX_PATH_LENGTH,
  MAX_WATCHES,
  tooMuch,
  type ClientFunctions,
  type RpcMessage,
  type ServedInfo,
  type ServiceFunctions,
} from "./protocol.ts";
import { Semaphore } from "../../semaphore.ts";

/** Carries whole messages to a client, in order. */
export interface ClientChannel {
  /** @returns resolves when the message has left this side's memory; rejects if the channel has ended */
  send(message: Uint8Array): Promise<void>;
  /** Ends the channel, because the client does not keep to the protocol. */
  fail(reason: string): void;
  /** Stops accepting messages from the client because it sends more than can be processed. */
  pause(): void;
  resume(): void;
}

/** What the serving side does beside its file system. */
export interface ServiceHost {
  /** The description of the file system that a client gets when it greets. */
  readonly served?: () => Promise<ServedInfo>;
  readonly showFolder?: () => Promise<void>;
}

/** Calls of one client that are worked on at once, each until its answer has left: more than a client of ours makes. */
const MAX_CALLS = 32;

/** Does for one client what it asks of a file system. What it can ask is the `FileSystem` contract, and to show the folder. */
export class FileSystemService {
  readonly #fs: WatchingFileSystem;
  readonly #channel: ClientChannel;
  readonly #host: ServiceHost;
  readonly #semaphore = new Semaphore(MAX_CALLS);
  readonly #client: BirpcReturn<ClientFunctions, object>;
  readonly #hints: HintQueue;
  /** By the client's id, the function that ends each watch, including watches that are still starting. */
  readonly #watches = new Map<number, Promise<() => Promise<void>>>();
  #receive: (message: RpcMessage) => void = () => undefined;
  #isClosed = false;

  constructor(fs: WatchingFileSystem, channel: ClientChannel, host: ServiceHost = {}) {
    this.#fs = fs;
    this.#channel = channel;
    this.#host = host;
    const functions = this.#functions();
    this.#client = createBirpc<ClientFunctions, object>(
      {},
      {
        // own names only: a client must not call inherited methods
        resolver: (name) => (Object.hasOwn(functions, name) ? this.#inTurn(functions, name) : this.#unknown(name)),
        serialize: (message: RpcMessage) => ({ bytes: encodeMessage(message), isAnswer: message.t === "s" }),
        post: (message: { readonly bytes: Uint8Array; readonly isAnswer: boolean }) =>
          this.#post(message.bytes, message.isAnswer),
        on: (receive) => {
          this.#receive = receive;
        },
        // if an answer cannot be encoded, the client receives that error
        onGeneralError: () => true,
        eventNames: ["hints"],
        timeout: -1,
      },
    );
    this.#hints = new HintQueue(async (hints) => {
      if (!this.#isClosed) await this.#client.hints(hints);
    });
  }

  /** Handles a message from the client. */
  receive(message: Uint8Array): void {
    if (this.#isClosed) return;
    let request: RpcMessage;
    try {
      request = decodeRequest(message);
    } catch (error) {
      this.#channel.fail(errorMessage(error));
      return;
    }
    this.#receive(request);
  }

  /** Ends the client's watches. Calls already accepted are still executed, without an answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client.$close();
    const ends = await Promise.allSettled(this.#watches.values());
    this.#watches.clear();
    await Promise.all(ends.map(async (end) => (end.status === "fulfilled" ? await end.value() : undefined)));
  }

  #functions(): ServiceFunctions {
    const fs = this.#fs;
    return {
      hello: async () => ({ sync: fs.supports.sync, ...(this.#host.served && { served: await this.#host.served() }) }),
      ping: async () => undefined,
      list: async (path) => await fs.list(asPath(path)),
      stat: async (path) => await fs.stat(asPath(path)),
      scan: async (path) => await fs.scan(asPath(path)),
      read: async (path, offset, length) => await this.#read(asPath(path), asCount(offset), length),
      append: async (path, bytes, sync, create) => await fs.append(asPath(path), asBytes(bytes), { sync, create }),
      write: async (path, bytes) => await fs.write(asPath(path), asBytes(bytes)),
      makeDirectory: async (path) => await fs.makeDirectory(asPath(path)),
      rename: async (from, to) => await fs.rename(asPath(from), asPath(to)),
      remove: async (path) => await fs.remove(asPath(path)),
      watch: async (id, path) => await this.#watch(asCount(id), asPath(path)),
      unwatch: async (id) => await this.#unwatch(asCount(id)),
      showFolder: async () => await this.#showFolder(),
    };
  }

  #inTurn(functions: ServiceFunctions, name: string): (...args: unknown[]) => Promise<unknown> {
    const call = functions[name as keyof ServiceFunctions] as (...args: unknown[]) => Promise<unknown>;
    return async (...args) => {
      await this.#takeSlot();
      return await call(...args);
    };
  }

  #unknown(name: string): () => Promise<never> {
    return async () => {
      await this.#takeSlot();
      throw new FoldspaceError("FOLD_UNAVAILABLE", `A file system has no method ${JSON.stringify(name.slice(0, 40))}`);
    };
  }

  /** `#post` releases the slot when the answer has left. */
  async #takeSlot(): Promise<void> {
    const turn = this.#semaphore.acquire();
    if (this.#semaphore.isExhausted) this.#channel.pause();
    await turn;
  }

  /** Never rejects: a channel that has ended accepts no answers, and no client waits for them. */
  async #post(bytes: Uint8Array, isAnswer: boolean): Promise<void> {
    await Promise.allSettled([this.#channel.send(bytes)]);
    if (!isAnswer) return;
    this.#semaphore.release();
    if (!this.#semaphore.isExhausted) this.#channel.resume();
  }

  async #read(path: string, offset: number, length: unknown): Promise<Uint8Array | undefined> {
    const wanted = length === undefined ? Infinity : asCount(length);
    const bytes = await this.#fs.read(path, { offset, length: Math.min(wanted, MAX_CONTENT_BYTES + 1) });
    if (bytes && bytes.length > MAX_CONTENT_BYTES) throw tooMuch("read", path);
    return bytes;
  }

  async #showFolder(): Promise<void> {
    if (!this.#host.showFolder) throw new FoldspaceError("FOLD_UNAVAILABLE", "This server shows no folders");
    await this.#host.showFolder();
  }

  async #watch(id: number, path: string): Promise<void> {
    // the call may run after the connection has ended
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", "The connection has ended", { data: { path } });
    if (this.#watches.has(id)) throw new FoldspaceError("FOLD_BAD_VALUE", `Watch ${id} already exists`, { data: { path } });
    if (this.#watches.size >= MAX_WATCHES) {
      const message = `Cannot watch ${path}: there are already ${MAX_WATCHES} watches`;
      throw new FoldspaceError("FOLD_BUSY", message, { data: { path } });
    }
    const begun = this.#fs.watch(path, (hint) => {
      if (this.#watches.has(id)) this.#hints.add(id, hint);
    });
    this.#watches.set(id, begun);
    try {
      await begun;
    } catch (error) {
      this.#watches.delete(id);
      throw error;
    }
  }

  async #unwatch(id: number): Promise<void> {
    const begun = this.#watches.get(id);
    this.#watches.delete(id);
    this.#hints.forget(id);
    const end = await begun;
    await end?.();
  }
}

function asPath(value: unknown): string {
  if (typeof value === "string" && value.length <= MAX_PATH_LENGTH) return value;
  throw new FoldspaceError("FOLD_BAD_VALUE", "The path is not a string, or is too long");
}

function asCount(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FoldspaceError("FOLD_BAD_VALUE", "An argument of the call is not a non-negative integer");
}

function asBytes(value: unknown): Uint8Array {
  if (isBytes(value)) return value;
  throw new FoldspaceError("FOLD_BAD_VALUE", "The content is not bytes");
}
