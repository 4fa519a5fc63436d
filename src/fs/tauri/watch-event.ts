/** What an event of the plugin is good for: where to look. */
export interface Change {
  /** In the system's own form. Empty where the event does not say what changed. */
  readonly paths: readonly string[];
  /** Whether a folder may have come that nobody has told of before. */
  readonly mayBeNewFolder: boolean;
  /** Whether what it names may be gone from its place. */
  readonly mayBeGone: boolean;
}

interface EventLike {
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly paths?: unknown;
  readonly attrs?: { readonly flag?: unknown } | null;
}

/** Reading makes such events, even our own. */
const IGNORED = "access";

/**
 * Reads an event of version 2 of the plugin (`{ type: { create: { kind: "file" } } }`), of version 3
 * (`{ type: "create", kind: "file" }`) or of any to come: of what it does not know, anything may be true.
 * @returns `undefined` where nothing has changed; `"lost"` where the system dropped events
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
