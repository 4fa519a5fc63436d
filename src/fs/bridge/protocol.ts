import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import { errorMessage, FoldspaceError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import type { DirectoryEntry, FileStat, ScanResult, WatchHint } from "../file-system.ts";

/** Name of the protocol, and its version, as the two sides agree on it when they connect. */
export const PROTOCOL = "foldspace.v2";
/** Path on the server for the connection. */
export const BRIDGE_PATH = "/bridge";
/** Path on the server at which it says to everyone that it is one, and nothing more. Another server has none there, or an empty object. */
export const SERVED_PATH = "/served.json";

/** Longest message that the serving side takes, in bytes. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;
/** Longest content of a file that crosses in one message, in bytes; the rest is for its path. */
export const MAX_CONTENT_BYTES: number = 15 * 1024 * 1024;
/** Longest path, in UTF-16 units: that of the longest path on Linux. */
export const MAX_PATH_LENGTH = 4096;
/** Watches that one connection may have. */
export const MAX_WATCHES = 64;

/** What would not fit into one message. */
export function tooMuch(action: string, path: string): FoldspaceError {
  const reason = `more than ${MAX_CONTENT_BYTES / 2 ** 20} MiB do not cross the bridge at once`;
  return new FoldspaceError("FOLD_IO", `Cannot ${action} ${path}: ${reason}`, { data: { path, maxBytes: MAX_CONTENT_BYTES } });
}

/** Who uses the machine: its owner alone, or other people too. */
export type Machine = "own" | "shared";

/** What a server says to everyone. */
export interface ServerInfo {
  readonly protocol: typeof PROTOCOL;
}

/** What a server says of the folder it serves, to clients that have proven that they know the token. */
export interface ServedInfo {
  /** Id of the space in it. */
  readonly spaceId: string;
  /** Full path of the folder on the machine. */
  readonly path: string;
  /** Name of the folder. */
  readonly name: string;
  /** What whoever started the server said of the machine. */
  readonly machine?: Machine;
  /** Whether the space was made when the server was started; the first client alone is told. */
  readonly isNew?: boolean;
  /** Whether the server can show the folder in the file manager of the machine. */
  readonly canShowFolder?: boolean;
}

/** What the serving side says first. */
export interface Greeting {
  /** Whether appends wait for the device. */
  readonly sync: boolean;
  readonly served?: ServedInfo;
}

/** What the serving side does for the client: the `FileSystem` contract with plain arguments. */
export interface ServiceFunctions {
  hello(): Promise<Greeting>;
  ping(): Promise<void>;
  list(path: string): Promise<DirectoryEntry[] | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  scan(path: string): Promise<ScanResult | undefined>;
  /** @param length in bytes; to the end where it is absent */
  read(path: string, offset: number, length?: number): Promise<Uint8Array | undefined>;
  append(path: string, bytes: Uint8Array, sync: boolean): Promise<void>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** @param id by which hints name the watch; the client's choice */
  watch(id: number, path: string): Promise<void>;
  unwatch(id: number): Promise<void>;
  /** Shows the served folder in the file manager of the serving side's machine. */
  showFolder(): Promise<void>;
}

/** What the client does for the serving side. Events: nothing is answered. */
export interface ClientFunctions {
  hints(hints: readonly WatchedHint[]): void;
}

export interface WatchedHint {
  /** Of the watch. */
  readonly id: number;
  readonly hint: WatchHint;
}

/** A message of birpc; `t` tells requests from answers. */
export interface RpcMessage {
  readonly t: "q" | "s";
  readonly i?: string;
  readonly m?: string;
  readonly a?: unknown[];
}

const ERROR_TYPE = 1;

/** Errors keep their code, message and data, wherever they stand in a message. */
const errors = new ExtensionCodec();
errors.register({
  type: ERROR_TYPE,
  encode: (value) => (value instanceof Error ? encodeError(value) : null),
  decode: decodeError,
});

/** What is undefined is left out, so that it comes out as undefined. */
export function encodeMessage(message: unknown): Uint8Array<ArrayBuffer> {
  return encode(message, { extensionCodec: errors, ignoreUndefined: true });
}

/** Decodes what the serving side sent, which has proven that it is the one that the client trusts. */
export function decodeAnswer(bytes: Uint8Array): RpcMessage {
  const message = decode(bytes, { extensionCodec: errors });
  if (isRpcMessage(message)) return message;
  throw new TypeError("The message is no call and no answer");
}

/** Decodes a call of a client that has proven that it knows the token. @throws Error what is wrong with it */
export function decodeRequest(bytes: Uint8Array): RpcMessage {
  const message = decode(bytes, {
    maxStrLength: 4 * MAX_PATH_LENGTH,
    maxBinLength: MAX_CONTENT_BYTES,
    maxArrayLength: 8,
    maxMapLength: 8,
    maxExtLength: 0,
  });
  if (!isRpcMessage(message) || message.t !== "q") throw new TypeError("The message is no call");
  if (typeof message.i !== "string" || typeof message.m !== "string" || !Array.isArray(message.a))
    throw new TypeError("The call lacks its id, method or arguments");
  return message;
}

function isRpcMessage(value: unknown): value is RpcMessage {
  return typeof value === "object" && value !== null && "t" in value && (value.t === "q" || value.t === "s");
}

function encodeError(error: Error): Uint8Array {
  const { code, data } = isFoldspaceError(error) ? error : { code: "FOLD_IO", data: {} };
  return encode({ code, message: errorMessage(error), data }, { ignoreUndefined: true });
}

function decodeError(bytes: Uint8Array): FoldspaceError {
  const { code, message, data } = decode(bytes) as { code: FoldspaceErrorCode; message: string; data: Record<string, unknown> };
  return new FoldspaceError(code, message, { data });
}
