import type { Advice, Place } from "./place.ts";

/** A line that a space needs in a file of settings. */
export interface Setting {
  readonly line: string;
  /** The consequence of its absence: a clause. */
  readonly otherwise: string;
  /** Whether changes can be lost or files be damaged without it; otherwise it only saves work. */
  readonly isNeeded: boolean;
  /**
   * Whether the setting is in force.
   * @param texts contents of the files that count, from the outermost folder to the innermost
   */
  readonly isIn: (texts: readonly string[]) => boolean;
}

/** A file that a carrier reads. */
export interface SettingsFile {
  readonly name: string;
  /** Begins a line for people. */
  readonly comment: string;
  /** Line of a section to which the settings belong. */
  readonly section?: string;
  readonly settings: readonly Setting[];
}

/** The settings that `foldspace init` writes for a carrier, and `foldspace doctor` checks. */
export interface Setup {
  /** Name of the option of `foldspace init`. */
  readonly option: SetupOption;
  /** In the carrier's own folder, which has its mark, or in the space's. */
  readonly isAtRoot: boolean;
  readonly files: readonly SettingsFile[];
  /** Present if the files cannot be written before the carrier has left its mark: says how to get there. */
  readonly needsMark?: string;
}

export type SetupOption = "git" | "hg" | "jj" | "rclone" | "syncthing";

/** Names of files that exist for a moment while foldspace replaces a file, on any platform. */
const TEMPORARY = [".*.tmp", "~*.tmp", "*.crswap"] as const;

/** @param toLine writes a pattern in the carrier's syntax */
function ignoreTemporary(otherwise: string, toLine: (pattern: string) => string): Setting[] {
  return TEMPORARY.map((pattern) => lineSetting(toLine(pattern), otherwise));
}

function lineSetting(line: string, otherwise: string): Setting {
  return { line, otherwise, isNeeded: false, isIn: (texts) => texts.some((text) => linesOf(text).includes(line)) };
}

/** Logs, by a pattern of `.gitattributes`. */
const LOGS = /(?:^|\/)\*{1,2}(?:\.jsonl)?$/;
/** Secrets without a passphrase, by a pattern of `.gitattributes`. */
const SECRETS = /(?:^|\/|\*)secrets\*?$|(?:^|\/)\*{1,2}$/;
/** Macros of Git, with the attributes that they set. */
const MACROS: ReadonlyMap<string, readonly string[]> = new Map([["binary", ["-diff", "-merge", "-text"]]]);

/** Whether files of the space are given to Git LFS. */
export function isInLfs(texts: readonly string[]): boolean {
  return [LOGS, SECRETS].some((files) => stateOf(texts, files, "filter") === "filter=lfs");
}

/** Whether a merge joins the texts that git-annex keeps in the place of logs. */
export function joinsPointersOfAnnex(texts: readonly string[]): boolean {
  const isInGit = stateOf(texts, LOGS, "annex.largefiles") === "annex.largefiles=nothing";
  return stateOf(texts, LOGS, "merge") === "merge=union" && !isInGit;
}

/** The last assignment of an attribute to files of a pattern, which is the one that counts. */
function stateOf(texts: readonly string[], files: RegExp, attribute: string): string | undefined {
  let state: string | undefined;
  for (const line of texts.flatMap(linesOf)) {
    const [pattern = "", ...words] = line.split(/\s+/);
    if (!files.test(pattern)) continue;
    const assignments = words.flatMap((word) => MACROS.get(word) ?? [word]);
    state = assignments.findLast((word) => word.replace(/^[-!]/, "").split("=")[0] === attribute) ?? state;
  }
  return state;
}

const TEMPORARY_IN_GIT = ignoreTemporary("a commit may contain a file that exists for a moment only", (pattern) => pattern);

/**
 * Repairing and packing move files of a log's folder to lost+found. Git and Mercurial take that for a renamed folder, and a merge
 * moves there what other devices wrote to the former one.
 */
function ignoreLostFound(line: string): Setting {
  return {
    ...lineSetting(line, "a merge may move changes of other devices to lost+found, where they do not show"),
    isNeeded: true,
  };
}

export const GIT: Setup = {
  option: "git",
  isAtRoot: false,
  files: [
    {
      name: ".gitattributes",
      comment: "#",
      // the lines of GIT_ATTRIBUTES
      settings: [
        {
          line: "*.jsonl -text merge=union",
          otherwise: "Git leaves the markers of a conflict in logs",
          isNeeded: true,
          isIn: (texts) => stateOf(texts, LOGS, "merge") === "merge=union",
        },
        {
          line: "secrets* -text -merge",
          otherwise: "Git writes markers into the secrets",
          isNeeded: true,
          isIn: (texts) => stateOf(texts, SECRETS, "merge") === "-merge",
        },
        lineSetting("space.json -text", "Git may change its line ends"),
      ],
    },
    { name: ".gitignore", comment: "#", settings: [...TEMPORARY_IN_GIT, ignoreLostFound("space-v1/lost+found/")] },
  ],
};

/** jj reads what Git ignores, and none of its attributes of merging. Its merges move no files. */
export const JJ: Setup = {
  option: "jj",
  isAtRoot: false,
  files: [{ name: ".gitignore", comment: "#", settings: TEMPORARY_IN_GIT }],
};

/** Section of Mercurial's settings that names a merge tool for each pattern of files. */
const MERGE_PATTERNS = "[merge-patterns]";

export const MERCURIAL: Setup = {
  option: "hg",
  isAtRoot: true,
  needsMark: 'There is no repository of Mercurial here or above: run "hg init" or "hg clone", and then this command again.',
  files: [
    {
      name: ".hg/hgrc",
      comment: "#",
      section: MERGE_PATTERNS,
      settings: [
        mergePattern("**.jsonl = :union", "Mercurial leaves the markers of a conflict in logs", true),
        mergePattern(
          "**secrets = :merge3",
          "a conflict in the secrets lacks their ancestor, so that deleted ones come back",
          false,
        ),
      ],
    },
    {
      name: ".hgignore",
      comment: "#",
      settings: [
        ...ignoreTemporary("a commit may contain a file that exists for a moment only", (pattern) => `glob:${pattern}`),
        ignoreLostFound("glob:space-v1/lost+found"),
      ],
    },
  ],
};

function mergePattern(line: string, otherwise: string, isNeeded: boolean): Setting {
  const [pattern, tool] = line.split(" = ");
  return {
    line,
    otherwise,
    isNeeded,
    isIn: (texts) => texts.some((text) => mergeTools(text).get(pattern!) === tool),
  };
}

/** The merge tools in Mercurial's settings, by pattern. The later of two for one pattern counts. */
function mergeTools(text: string): Map<string, string> {
  const tools = new Map<string, string>();
  let isInSection = false;
  for (const line of linesOf(text)) {
    if (line.startsWith("[")) isInSection = line === MERGE_PATTERNS;
    const [, pattern, tool] = /^([^#;=]+)=(.*)$/.exec(line) ?? [];
    if (isInSection && pattern !== undefined && tool !== undefined)
      tools.set(pattern.trim(), tool.trim().replace(/^internal:/, ":"));
  }
  return tools;
}

export const SYNCTHING: Setup = {
  option: "syncthing",
  isAtRoot: true,
  files: [
    {
      name: ".stignore",
      comment: "//",
      // "(?d)" lets Syncthing delete such a file with its folder
      settings: ignoreTemporary("Syncthing may carry a file that exists for a moment only", (pattern) => `(?d)${pattern}`),
    },
  ],
};

/** Name of the file for `--filters-file`. */
export const RCLONE_FILTERS = ".rclone-filters";

export const RCLONE: Setup = {
  option: "rclone",
  isAtRoot: false,
  files: [
    {
      name: RCLONE_FILTERS,
      comment: "#",
      settings: [
        ...ignoreTemporary("a file that exists for a moment only may end a run with an error", (pattern) => `- ${pattern}`),
        // rclone keeps a hash beside the file, which is of this device only
        lineSetting(`- /${RCLONE_FILTERS}*`, "rclone carries its own settings"),
      ],
    },
  ],
};

/** Returns the settings of a file that are not in force, in the given texts of it. */
export function missingSettings({ settings }: SettingsFile, texts: readonly (string | undefined)[]): Setting[] {
  const known = texts.filter((text) => text !== undefined);
  return settings.filter(({ isIn }) => !isIn(known));
}

/** Says which settings of a carrier are not in force in a place. */
export function checkSetup({ option, files, isAtRoot }: Setup, place: Place): Advice[] {
  return files.flatMap((file) => {
    const texts = [place.read(file.name), ...(isAtRoot ? [] : [place.readInSpace(file.name)])];
    const missing = missingSettings(file, texts);
    const consequences = new Map(missing.map(({ otherwise, isNeeded }) => [otherwise, isNeeded]));
    return [...consequences].map(([otherwise, isNeeded]) => {
      const lines = missing.filter((setting) => setting.otherwise === otherwise).map(({ line }) => `"${line}"`);
      const text = `${file.name} lacks ${lines.join(", ")}: ${otherwise}. "foldspace init DIR --${option}" adds it.`;
      return { text, isNeeded };
    });
  });
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
