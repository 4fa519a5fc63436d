import { FoldspaceError } from "../errors.ts";
import { EXTENSION } from "./file-names.ts";

/** Name of the file in a readable copy that says which files the copy has written. */
export const MANIFEST_FILE = ".foldspace-copy.json";

const KIND = "readable copy of a foldspace space";
const VERSION = 1;
const NOTE =
  "The Markdown files listed here are written by foldspace whenever their pages change, and are never read back. A file that was changed by others is left as it is.";
const HASH = /^[0-9a-f]{64}$/;

/** A file that a copy has written, or is about to write. */
export interface CopiedFile {
  /** Id of the page. */
  readonly page: string;
  /** SHA-256 of what may be in it: two while another content is being written. */
  readonly sha256: readonly string[];
}

export interface Manifest {
  readonly spaceId: string;
  /** By file name. */
  readonly files: ReadonlyMap<string, CopiedFile>;
}

export function encodeManifest({ spaceId, files }: Manifest): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ kind: KIND, version: VERSION, note: NOTE, spaceId, files: Object.fromEntries(sorted) }, undefined, 2)}\n`;
}

/**
 * @param path of the file, for errors
 * @throws FoldspaceError `FOLD_BAD_VALUE` for anything that {@link encodeManifest} has not made, `FOLD_NEWER_FORMAT`
 */
export function decodeManifest(text: string, path: string): Manifest {
  const found = parse(text);
  if (!isRecord(found) || found["kind"] !== KIND) throw damaged(path, "it does not list the files of a copy");
  const { version, spaceId, files } = found;
  if (typeof version === "number" && version > VERSION) {
    throw new FoldspaceError("FOLD_NEWER_FORMAT", `${path} was written by a newer version of foldspace`, { data: { path } });
  }
  if (version !== VERSION || typeof spaceId !== "string" || !isRecord(files)) throw damaged(path, "a part of it is missing");
  return { spaceId, files: new Map(Object.entries(files).map(([name, file]) => [name, asFile(name, file, path)])) };
}

function asFile(name: string, file: unknown, path: string): CopiedFile {
  // a name is no path: what a manifest lists may be replaced and deleted
  const isName = /^[^/\\]+$/.test(name) && name.endsWith(EXTENSION);
  if (!isName || !isRecord(file)) throw damaged(path, `it lists ${JSON.stringify(name.slice(0, 100))}`);
  const { page, sha256 } = file;
  const areHashes = Array.isArray(sha256) && sha256.every((hash): hash is string => typeof hash === "string" && HASH.test(hash));
  if (typeof page !== "string" || !areHashes) throw damaged(path, `what it says of ${JSON.stringify(name)} makes no sense`);
  return { page, sha256 };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // the caller that expects a record reports it
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(path: string, reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_BAD_VALUE", `${path} is damaged: ${reason}. Nothing was changed; choose another folder`, {
    data: { path },
  });
}
