import type { Advice, Place } from "./place.ts";
import {
  checkSetup,
  GIT,
  isInLfs,
  JJ,
  joinsPointersOfAnnex,
  MERCURIAL,
  RCLONE,
  RCLONE_FILTERS,
  SYNCTHING,
  type Setup,
} from "./setups.ts";

/** A program that carries folders, and how it is recognised and should be set. */
export interface Carrier {
  readonly name: string;
  /** @returns the mark that the program has left in a folder; `undefined` if none */
  readonly findMark: (place: Place) => string | undefined;
  /** What should be changed besides the files of its setup, and what to know. */
  readonly advise: (place: Place) => readonly Advice[];
  readonly setup?: Setup;
}

/** Says everything that should be changed for a carrier, and what to know. */
export function adviseOn({ setup, advise }: Carrier, place: Place): Advice[] {
  return [...(setup ? checkSetup(setup, place) : []), ...advise(place)];
}

const needed = (text: string): Advice => ({ text, isNeeded: true });
const note = (text: string): Advice => ({ text, isNeeded: false });

/** Matches the first of these names in a folder. */
function named(...names: readonly (string | RegExp)[]): (place: Place) => string | undefined {
  return ({ names: found }) =>
    found.find((name) => names.some((wanted) => (typeof wanted === "string" ? wanted === name : wanted.test(name))));
}

/** Matches the folder's own name. */
function called(pattern: RegExp): (place: Place) => string | undefined {
  return ({ path }) => (pattern.test(path.replaceAll("\\", "/")) ? "" : undefined);
}

function either(...finders: readonly Carrier["findMark"][]): Carrier["findMark"] {
  return (place) => {
    for (const find of finders) {
      const mark = find(place);
      if (mark !== undefined) return mark;
    }
    return undefined;
  };
}

function attributesIn(place: Place): string[] {
  return [place.read(".gitattributes"), place.readInSpace(".gitattributes")].filter((text) => text !== undefined);
}

function adviseGit(place: Place): Advice[] {
  return [
    ...(isInLfs(attributesIn(place))
      ? [
          needed(
            'Git LFS keeps files of the space elsewhere, and a device without "git lfs pull" sees only pointers, which a merge may damage: exclude "space-v1" from "git lfs track".',
          ),
        ]
      : []),
    note("Commit, pull and push regularly: Git carries nothing by itself."),
  ];
}

export const CARRIERS: readonly Carrier[] = [
  {
    name: "Syncthing",
    findMark: named(".stfolder"),
    setup: SYNCTHING,
    advise: (place) => {
      const ignored = place.read(".stignore")?.split(/\r?\n/) ?? [];
      const pattern = ignored.find((line) =>
        /^(?!\/\/|!)(?:\(\?\w\))*\/?(?:\*\*\/)?(?:\*|\*\.jsonl|space-v1|ops|secrets)\/?$/.test(line.trim()),
      );
      return [
        ...(pattern === undefined
          ? []
          : [needed(`.stignore excludes files of the space with "${pattern.trim()}": remove that line.`)]),
        note(
          "Edits usually reach other devices within 26 s at the default fsWatcherDelayS of 10, and within 9 s at 1: set it in the folder's advanced settings.",
        ),
        note("Keep maxConflicts above 0: otherwise the version that loses a conflict is deleted."),
        note(
          "A folder that was removed and made again is carried only at the next full scan, an hour by default: rescan by hand then.",
        ),
      ];
    },
  },
  { name: "git-annex", findMark: ({ has }) => (has(".git/annex") ? ".git/annex" : undefined), advise: adviseAnnex },
  {
    name: "jj",
    findMark: named(".jj"),
    setup: JJ,
    advise: () => [
      note("jj applies no merge attributes: it writes the markers of a conflict into files. foldspace reads both sides of them."),
      note(
        'Resolve conflicts with both sides kept; "jj resolve" with a tool that keeps one side would drop the changes of the other.',
      ),
    ],
  },
  { name: "Git", findMark: named(".git"), setup: GIT, advise: adviseGit },
  {
    name: "Mercurial",
    findMark: named(".hg"),
    setup: MERCURIAL,
    advise: () => [
      note("Commit, pull, merge and push regularly: Mercurial carries nothing by itself."),
      note("A clone has no .hg/hgrc of its own: set up each device."),
    ],
  },
  {
    name: "Subversion",
    findMark: named(".svn"),
    advise: () => [
      note(
        'Update with --non-interactive, and end conflicts with "svn resolve --accept working": foldspace reads all versions, and merges the secrets.',
      ),
    ],
  },
  {
    name: "Fossil",
    findMark: named(".fslckout", "_FOSSIL_"),
    advise: () => [
      note("Fossil writes the markers of a conflict into files: foldspace reads both sides, so commit the file with both kept."),
      note(
        'Run "fossil settings mtime-changes off": otherwise a file that is replaced by one of the same size in the second of a commit is never committed.',
      ),
    ],
  },
  {
    name: "Unison",
    findMark: either(named(/^\.unison\./), ({ unisonProfile }) => unisonProfile),
    advise: () => [
      note('Set "prefer = newer" with "copyonconflict = true": without them, files that both sides changed are skipped.'),
    ],
  },
  {
    name: "rclone bisync",
    findMark: either(named(RCLONE_FILTERS, "RCLONE_TEST", /\.jsonl\.conflict\d+$/), ({ rcloneListing }) => rcloneListing),
    setup: RCLONE,
    advise: () => [
      note(
        `Pass "--filters-file ${RCLONE_FILTERS} --local-no-check-updated --resilient --recover" in each run, also in the first one with "--resync": without them, an edit while a file is copied can stop all further runs.`,
      ),
      note('"--resync" prefers the first path by default: copy both folders before you use it.'),
    ],
  },
  {
    name: "Mutagen",
    findMark: named("mutagen.yml", /^\.mutagen/),
    advise: () => [
      note(
        'In the modes two-way-safe and two-way-resolved, a conflict in a file stops it or drops one side: watch "mutagen sync list" for conflicts.',
      ),
    ],
  },
  {
    name: "Dropbox",
    // the client keeps its state in a folder .dropbox elsewhere
    findMark: either(named(".dropbox.cache"), called(/\/Dropbox(?: \([^/]*\))?$/)),
    advise: () => [note("Make the folder available offline on each device: files that are online only cannot be read.")],
  },
  {
    name: "OneDrive",
    findMark: called(/\/OneDrive(?: - [^/]*)?$/),
    advise: () => [note('Choose "Always keep on this device" for the folder: files on demand cannot be read.')],
  },
  {
    name: "Nextcloud or ownCloud",
    findMark: named(/^\._?sync_.*\.db/, /^\.(?:nextcloud|owncloud)sync\.log$/),
    advise: () => [
      note("Switch virtual files off for the folder, so that all files are on this device."),
      note("Copies of conflicts stay on the device that made them, unless their upload is switched on."),
    ],
  },
  {
    name: "iCloud Drive",
    findMark: either(called(/\/Library\/Mobile Documents$/), named(/^\..+\.icloud$/)),
    advise: () => [
      note('Choose "Keep Downloaded" for the folder: files that macOS has removed from the disk cannot be read offline.'),
    ],
  },
  {
    name: "Google Drive",
    findMark: named(".tmp.driveupload", ".tmp.drivedownload"),
    advise: () => [note("Mirror the folder instead of streaming it, so that all files are on this device.")],
  },
  {
    name: "Resilio Sync",
    findMark: named(".sync"),
    advise: () => [note("Never delete a Conflict file by hand: Resilio may delete the file itself.")],
  },
];

function adviseAnnex(place: Place): Advice[] {
  const isUnlocked = /^\s*addunlocked\s*=\s*true\s*$/m.test(place.read(".git/config") ?? "");
  return [
    ...(isUnlocked
      ? []
      : [
          needed(
            'git-annex turns each file that it adds into a link, which is never followed: run "git config annex.addunlocked true" and "git annex unlock".',
          ),
        ]),
    ...(joinsPointersOfAnnex(attributesIn(place))
      ? [
          needed(
            'A merge joins the pointers of a log, and the next commit drops the changes of one side: add the line "*.jsonl annex.largefiles=nothing" to .gitattributes, so that Git keeps the logs itself.',
          ),
        ]
      : []),
    note('A device reads only files that it has fetched: run "git annex get" for the folder on each, or "git annex assistant".'),
  ];
}
