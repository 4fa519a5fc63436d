import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import type { Bytes } from "../../bytes.ts";
import { errorMessage, FoldspaceError, isError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import type { DirectoryEntry, FileStat, ScanResult, WatchHint } from "../file-system.ts";

/** Name and version of the protocol. Both sides agree on it when they connect. */
export const PROTOCOL = "foldspace.v2";
/** Path on the server for the connection. */
export const BRIDGE_PATH = "/bridge";
/** Path at which the server identifies itself as a foldspace server to any client, and reveals nothing more. Other servers have no such path, or an empty object. */
export const SERVED_PATH = "/served.json";

/** Longest message that the server accepts, in bytes. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;
/** Longest file content in one message, in bytes; the rest of the message is for the path. */
export const MAX_CONTENT_BYTES: number = 15 * 1024 * 1024;
/** Longest path, in UTF-16 units: the limit of Linux. */
export const MAX_PATH_LENGTH = 4096;
/** Watches per connection. */
export const MAX_WATCHES = 64;

/** Error for content that does not fit into one message. */
export function tooMuch(action: string, path: string): FoldspaceError {
  const reason = `one call of the bridge transfers at most ${MAX_CONTENT_BYTES / 2 ** 20} MiB`;
  return new FoldspaceError("FOLD_IO", `Cannot ${action} ${path}: ${reason}`, { data: { path, maxBytes: MAX_CONTENT_BYTES } });
}

/** Whether only its owner uses the machine, or other people too. */
export type Machine = "own" | "shared";

/** The server's public answer to any client. */
export interface ServerInfo {
  readonly protocol: typeof PROTOCOL;
}

/** Describes the served folder to clients that have proven that they know the token. */
export interface ServedInfo {
  /** Id of the space in the folder. */
  readonly spaceId: string;
  /** Full path of the folder on the machine. */
  readonly path: string;
  /** The same without links, so that it identifies the folder on the machine. */
  readonly realPath?: string;
  /** Name of the folder. */
  readonly name: string;
  /** How the person who started the server described the machine. */
  readonly machine?: Machine;
  /** Whether the space was made when the server was started; only the first client learns it. */
  readonly isNew?: boolean;
  /** Whether the server can show the folder in the file manager of the machine. */
  readonly canShowFolder?: boolean;
}

/** The server's first answer. */
export interface Greeting {
  /** Whether appends can wait for the device. */
  readonly sync: boolean;
  readonly served?: ServedInfo;
}

/** The functions that the server offers a client: the `FileSystem` contract with plain arguments. */
export interface ServiceFunctions {
  hello(): Promise<Greeting>;
  ping(): Promise<void>;
  list(path: string): Promise<DirectoryEntry[] | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  scan(path: string): Promise<ScanResult | undefined>;
  /** @param length in bytes; to the end if absent */
  read(path: string, offset: number, length?: number): Promise<Uint8Array | undefined>;
  append(path: string, bytes: Uint8Array, sync: boolean, create: boolean): Promise<void>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** @param id chosen by the client; hints name the watch by it */
  watch(id: number, path: string): Promise<void>;
  unwatch(id: number): Promise<void>;
  /** Shows the served folder in the file manager of the serving side's machine. */
  showFolder(): Promise<void>;
}

/** The functions that the client offers the server. They are events: none is answered. */
export interface ClientFunctions {
  hints(hints: readonly WatchedHint[]): void;
}

export interface WatchedHint {
  /** Id of the watch. */
  readonly id: number;
  readonly hint: WatchHint;
}

/** A message of birpc; `t` distinguishes requests from answers. */
export interface RpcMessage {
  readonly t: "q" | "s";
  readonly i?: string;
  readonly m?: string;
  readonly a?: unknown[];
}

const ERROR_TYPE = 1;

/** Errors keep their code, message and data anywhere in a message. */
const errors = new ExtensionCodec();
errors.register({
  type: ERROR_TYPE,
  encode: (value) => (isError(value) ? encodeError(value) : null),
  decode: decodeError,
});

/** Omits undefined properties, which therefore decode as undefined. */
export function encodeMessage(message: unknown): Bytes {
  return encode(message, { extensionCodec: errors, ignoreUndefined: true });
}

/** Decodes a message of the server, which has proven that the client can trust it. */
export function decodeAnswer(bytes: Uint8Array): RpcMessage {
  const message = decode(bytes, { extensionCodec: errors });
  if (isRpcMessage(message)) return message;
  throw new TypeError("The message is neither a call nor an answer");
}

/** Decodes a call of a client that has proven that it knows the token. @throws Error describing the defect */
export function decodeRequest(bytes: Uint8Array): RpcMessage {
  const message = decode(bytes, {
    maxStrLength: 4 * MAX_PATH_LENGTH,
    maxBinLength: MAX_CONTENT_BYTES,
    maxArrayLength: 8,
    maxMapLength: 8,
    maxExtLength: 0,
  });
  if (!isRpcMessage(message) || message.t !== "q") throw new TypeError("The message is not a call");
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
