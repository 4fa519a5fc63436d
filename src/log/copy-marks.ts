/** A mark in the name of a file, by which a program marks another version of the file. */
interface CopyMark {
  /** The program that writes it. */
  readonly program: string;
  /** Matches the text between two dots of the name, or behind its last dot. */
  readonly mark: string;
}

/** Marks between the dots of a name: `B.MARK.jsonl`, or `B.jsonl.MARK`. */
const DOTTED_MARKS: readonly CopyMark[] = [
  { program: "Syncthing", mark: "sync-conflict-.*" },
  { program: "rclone, Resilio", mark: "conflict\\d*" },
  { program: "pCloud", mark: "conflicted" },
  { program: "git-annex", mark: "variant-[0-9a-f]+" },
  { program: "rclone before 1.66", mark: "\\.?path\\d+" },
  { program: "Mercurial, Git's merge tool", mark: "orig" },
  { program: "Subversion", mark: "mine|working|r\\d+|merge-(?:left|right)\\.r\\d+" },
  { program: "merge tools", mark: "theirs|ours|other|base|local|remote|backup" },
  { program: "editors", mark: "bak|old|new" },
];

/** Marks that a program puts before the extension. Every other word there could be the id of a writer. */
const BEFORE_EXTENSION: ReadonlySet<string> = new Set(["Syncthing", "rclone, Resilio", "pCloud", "git-annex"]);

function anyOf(marks: readonly CopyMark[]): string {
  return `(?:${marks.map(({ mark }) => mark).join("|")})`;
}

const INNER = anyOf(DOTTED_MARKS.filter(({ program }) => BEFORE_EXTENSION.has(program)));
const OUTER = anyOf(DOTTED_MARKS);

/** A word behind the last dot of a name that marks another version of the file, and not a file that is not there. */
export const VERSION_WORD: RegExp = new RegExp(`^${OUTER}$`, "i");

/** Text that a program inserts in the place where a relay file names its writer. */
export const COPY_MARK: RegExp = new RegExp(`^${INNER}$`, "i");

/** Names of copies, for ids whose form alone does not set them apart from the rest of the name. The id is the first group. */
export const COPY_PATTERNS: readonly RegExp[] = [
  /^(?:copy of )(.+)\.jsonl$/i,
  /^(.+?) ?\([^()]*(?:\([^()]*\)[^()]*)*\)\.jsonl$/, // (conflicted copy …), (1), (Case Conflict), (SFConflict …)
  /^(.+) \[[^\]]*\]\.jsonl$/,
  /^(.+) \d+\.jsonl$/,
  /^(.+)-[^-]+-safeBackup-\d+\.jsonl$/i, // behind the name of the computer
  new RegExp(`^(.+?)(?:\\.${INNER})+\\.jsonl$`, "i"),
  new RegExp(`^(.+)\\.jsonl\\.${OUTER}$`, "i"),
  /^(.+)\.conflicted$/i,
  /^(.+)_conflict-[^/]*\.jsonl$/i,
  /^(.+)_(?:BASE|LOCAL|REMOTE|BACKUP)_\d+\.jsonl$/,
  /^(.+)\.jsonl~\S*$/,
];

/**
 * The copies that are the common ancestor of a conflict, and not a version of either side: `NAME.merge-left.rN`, the oldest
 * `NAME.rN` beside another version of Subversion, `NAME.base`, and `NAME_BASE_N` of Git's merge tool.
 * @param names of copies of one file, and of no other
 */
export function findAncestors(names: readonly string[]): Set<string> {
  const revisionOf = (name: string): number => Number(/\.r(\d+)$/.exec(name)?.[1] ?? Infinity);
  const revisions = names.filter((name) => /(?<!\.merge-(?:left|right))\.r\d+$/.test(name));
  const isConflict = revisions.length > 1 || names.some((name) => name.endsWith(".mine"));
  const oldest = isConflict ? revisions.toSorted((a, b) => revisionOf(a) - revisionOf(b))[0] : undefined;
  return new Set(names.filter((name) => name === oldest || /\.merge-left\.r\d+$|\.base$|_BASE_\d+(?:\.\w+)?$/.test(name)));
}
