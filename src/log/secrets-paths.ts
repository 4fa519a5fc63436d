import { placeholderTarget } from "./placeholders.ts";
import { isIgnoredName, isPathSafeId, SPACE_DIR } from "./paths.ts";

/** Secrets without a passphrase: one file, which all devices write. */
export const SECRETS_FILE = "space-v1/secrets";
/** Secrets under a passphrase: one file per peer. */
export const SEALED_SECRETS_DIR = "space-v1/secrets-v2";
/** Folder in which a migration keeps the secrets of version 0. */
export const OLD_SECRETS_DIR = "space-v0";

const NAME = SECRETS_FILE.slice(SPACE_DIR.length + 1);

/** The relation of a file in `space-v1` to `secrets`, judged by its name. */
export type SecretsFileKind =
  | "secrets"
  /** Made by a sync service. */
  | "copy"
  /** A copy that has been read into `secrets`. */
  | "folded"
  /** A file that did not decrypt and was set aside. */
  | "broken"
  /** Not downloaded yet. */
  | "placeholder";

/**
 * @param size in bytes, if it is known: a placeholder is almost empty
 * @returns `undefined` for a file that has nothing to do with secrets
 */
export function classifySecretsFile(name: string, size: number = Infinity): SecretsFileKind | undefined {
  if (name === NAME) return "secrets";
  if (placeholderTarget(name, size) === NAME) return "placeholder";
  if (isIgnoredName(name)) return undefined;
  if (name.startsWith(`${NAME}.folded-`)) return "folded";
  if (name.startsWith(`${NAME}.broken-`)) return "broken";
  // a sync service may put anything around the name; only decrypting shows whether the file is one of ours
  return /^(?:copy of )?secrets(?![A-Za-z0-9])/i.test(name) ? "copy" : undefined;
}

/** @param digest of the copy's content, so that the same copy gets the same name on every device */
export function foldedCopyPath(digest: string): string {
  return `${SECRETS_FILE}.folded-${digest.slice(0, 8)}`;
}

export function brokenSecretsPath(time: Date): string {
  return `${SECRETS_FILE}.broken-${time.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** A temporary name, which sync programs and readers ignore. It has no leading dot, because Tauri refuses to write such names. */
export function temporarySecretsPath(unique: string): string {
  return `${SPACE_DIR}/~${NAME}.${unique}.tmp`;
}

export function sealedSecretsPath(peerId: string): string {
  return `${SEALED_SECRETS_DIR}/${peerId}.json`;
}

/**
 * @param size in bytes, if it is known: a placeholder is almost empty
 * @returns the peer of a file of sealed secrets; `undefined` for any other file
 */
export function classifySealedFile(
  name: string,
  size: number = Infinity,
): { readonly peerId: string; readonly isCopy: boolean; readonly isPlaceholder?: true } | undefined {
  const target = placeholderTarget(name, size);
  const missing = target === undefined ? undefined : classifySealedFile(target);
  if (missing) return { ...missing, isPlaceholder: true };
  if (isIgnoredName(name)) return undefined;
  const stem = name.endsWith(".json") ? name.slice(0, -".json".length) : "";
  if (isPathSafeId(stem)) return { peerId: stem, isCopy: false };
  const [peerId] = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.exec(name) ?? [];
  return peerId !== undefined && /\.json|conflict/i.test(name) ? { peerId: peerId.toLowerCase(), isCopy: true } : undefined;
}
