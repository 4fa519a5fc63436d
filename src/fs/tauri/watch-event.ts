/** The meaning of an event of the plugin: where something may have changed. */
export interface Change {
  /** In the system's own form. Empty if the event does not name what changed. */
  readonly paths: readonly string[];
  /** Whether a new folder may have appeared that no other event reports. */
  readonly mayBeNewFolder: boolean;
  /** Whether the named entries may be gone. */
  readonly mayBeGone: boolean;
}

interface EventLike {
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly paths?: unknown;
  readonly attrs?: { readonly flag?: unknown } | null;
}

/** Reading, even our own, causes such events. */
const IGNORED = "access";

/**
 * Reads an event of version 2 of the plugin (`{ type: { create: { kind: "file" } } }`), of version 3
 * (`{ type: "create", kind: "file" }`) or of a later version: an unknown event may mean any change.
 * @returns `undefined` if nothing has changed; `"lost"` if the system dropped events
 */
export function readWatchEvent(event: unknown): Change | "lost" | undefined {
  const { type, kind, paths, attrs } = (typeof event === "object" && event !== null ? event : {}) as EventLike;
  if (typeof attrs?.flag === "string" && attrs.flag.toLowerCase() === "rescan") return "lost";
  const [name, detail] = isRecord(type) ? (Object.entries(type)[0] ?? []) : [type, { kind }];
  if (name === IGNORED) return undefined;
  const detailKind = isRecord(detail) ? detail["kind"] : undefined;
  const isRename = name === "modify" && detailKind === "rename";
  const isKnown = name === "create" || name === "modify" || name === "remove";
  return {
    paths: Array.isArray(paths) ? paths.filter((path) => typeof path === "string") : [],
    mayBeNewFolder: !isKnown || isRename || (name === "create" && detailKind !== "file"),
    mayBeGone: !isKnown || isRename || name === "remove",
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
