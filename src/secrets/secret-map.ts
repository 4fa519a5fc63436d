import { FoldspaceError } from "../errors.ts";
import { compareStrings, utf8 } from "./encoding.ts";
import { assertFitsFile } from "./limits.ts";

/** Secrets by name. */
export type SecretMap = ReadonlyMap<string, string>;

/** The change of one secret; `undefined`: it does not exist. */
export interface SecretChange {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Changes of secrets, by name. */
export type SecretChanges = ReadonlyMap<string, SecretChange>;

export function differences(from: SecretMap, to: SecretMap): Map<string, SecretChange> {
  const changes = new Map<string, SecretChange>();
  for (const name of new Set([...from.keys(), ...to.keys()])) {
    const change = { from: from.get(name), to: to.get(name) };
    if (change.from !== change.to) changes.set(name, change);
  }
  return changes;
}

/** Applies changes to the present secrets: a secret that was edited meanwhile is not deleted. */
export function applyChanges(present: SecretMap, changes: SecretChanges): Map<string, string> {
  const result = new Map(present);
  for (const [name, { from, to }] of changes) setOrDelete(result, name, mergeValue(from, to, present.get(name)));
  return result;
}

/**
 * Three-way merge of one secret. If both sides changed it, our value wins, unless it is a deletion: an edit wins over a
 * simultaneous deletion.
 */
export function mergeValue(base: string | undefined, ours: string | undefined, theirs: string | undefined): string | undefined {
  if (ours === base) return theirs;
  return ours ?? (theirs === base ? undefined : theirs);
}

/** As {@link mergeValue}, for every secret. */
export function mergeMaps(base: SecretMap, ours: SecretMap, theirs: SecretMap): Map<string, string> {
  const result = new Map<string, string>();
  for (const name of new Set([...ours.keys(), ...theirs.keys()]))
    setOrDelete(result, name, mergeValue(base.get(name), ours.get(name), theirs.get(name)));
  return result;
}

export function setOrDelete(map: Map<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

export function areEqual(a: SecretMap, b: SecretMap): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

/**
 * Encodes equal secrets as the same text, whatever their order.
 * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`
 */
export function encodeSecrets(secrets: SecretMap): string {
  const json = JSON.stringify(Object.fromEntries([...secrets].sort(([a], [b]) => compareStrings(a, b))));
  assertFitsFile(utf8(json).length);
  return json;
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE` */
export function parseSecrets(json: string): Map<string, string> {
  assertFitsFile(utf8(json).length);
  const parsed = parseObject(json);
  const entries = parsed && Object.entries(parsed);
  if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === "string"))
    throw new FoldspaceError("FOLD_SECRETS_BROKEN", "The decrypted file is not a JSON object of texts");
  return new Map(entries);
}

/** @returns `undefined` if the text is not a JSON object */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    // the parser's message could quote secrets, so it is not reported
    return undefined;
  }
}
