import { isIgnoredName, isPathSafeId, SPACE_DIR } from "./paths.ts";

/** Secrets without a passphrase: one file, which everybody writes. */
export const SECRETS_FILE = "space-v1/secrets";
/** Secrets under a passphrase: one file for every peer. */
export const SEALED_SECRETS_DIR = "space-v1/secrets-v2";
/** Where a migration keeps those of version 0. */
export const OLD_SECRETS_DIR = "space-v0";

const NAME = SECRETS_FILE.slice(SPACE_DIR.length + 1);

/** What a file in `space-v1` has to do with `secrets`, judged by its name. */
export type SecretsFileKind =
  | "secrets"
  /** Made by a sync service. */
  | "copy"
  /** A copy that has been read into `secrets`. */
  | "folded"
  /** It did not decrypt and was set aside. */
  | "broken"
  /** Not downloaded yet. */
  | "placeholder";

/** @returns `undefined` for a file that has nothing to do with secrets */
export function classifySecretsFile(name: string): SecretsFileKind | undefined {
  if (name === NAME) return "secrets";
  if (name === `.${NAME}.icloud`) return "placeholder";
  if (isIgnoredName(name)) return undefined;
  if (name.startsWith(`${NAME}.folded-`)) return "folded";
  if (name.startsWith(`${NAME}.broken-`)) return "broken";
  // whatever a sync service puts around the name: whether it is one of ours, decrypting it tells
  return /^(?:copy of )?secrets(?![A-Za-z0-9])/i.test(name) ? "copy" : undefined;
}

/** @param digest of its content, so that the same copy gets the same name on every device */
export function foldedCopyPath(digest: string): string {
  return `${SECRETS_FILE}.folded-${digest.slice(0, 8)}`;
}

export function brokenSecretsPath(time: Date): string {
  return `${SECRETS_FILE}.broken-${time.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** A temporary name: sync programs pass it over, and so do readers. It begins with no dot, which Tauri would not let us write. */
export function temporarySecretsPath(unique: string): string {
  return `${SPACE_DIR}/~${NAME}.${unique}.tmp`;
}

export function sealedSecretsPath(peerId: string): string {
  return `${SEALED_SECRETS_DIR}/${peerId}.json`;
}

/** @returns whose file it is; `undefined` for one that is none */
export function classifySealedFile(name: string): { readonly peerId: string; readonly isCopy: boolean } | undefined {
  if (isIgnoredName(name)) return undefined;
  const stem = name.endsWith(".json") ? name.slice(0, -".json".length) : "";
  if (isPathSafeId(stem)) return { peerId: stem, isCopy: false };
  const [peerId] = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.exec(name) ?? [];
  return peerId !== undefined && /\.json|conflict/i.test(name) ? { peerId: peerId.toLowerCase(), isCopy: true } : undefined;
}
