import type { Advice, Place } from "./place.ts";

/** A program that carries folders, and how it is recognised and should be set. */
export interface Carrier {
  readonly name: string;
  /** @returns the mark that the program has left in a folder; `undefined` if none */
  readonly findMark: (place: Place) => string | undefined;
  /** What should be changed, and what to know. */
  readonly advise: (place: Place) => readonly Advice[];
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

/** Whether a line of `.gitattributes` gives an attribute to files of a pattern. */
function hasAttribute(place: Place, file: RegExp, attribute: string): boolean {
  const texts = [place.read(".gitattributes"), place.readInSpace(".gitattributes")];
  return texts.some((text) =>
    text?.split(/\r?\n/).some((line) => {
      const [pattern = "", ...attributes] = line.trim().split(/\s+/);
      return file.test(pattern) && attributes.includes(attribute);
    }),
  );
}

const LOGS = /(?:^|\/)\*\.jsonl$/;
const SECRETS = /(?:^|\/|\*)secrets\*?$|^\*$/;

function adviseGit(place: Place): Advice[] {
  const advice: Advice[] = [];
  if (!hasAttribute(place, LOGS, "merge=union"))
    advice.push(
      needed(
        '.gitattributes does not say how Git joins logs: put the line "*.jsonl -text merge=union" into it (FORMAT.md, "Git").',
      ),
    );
  if (!hasAttribute(place, SECRETS, "-merge"))
    advice.push(needed('.gitattributes lets Git write markers into the secrets: put the line "secrets* -text -merge" into it.'));
  if (hasAttribute(place, LOGS, "filter=lfs") || hasAttribute(place, SECRETS, "filter=lfs"))
    advice.push(
      needed(
        'Git LFS keeps files of the space elsewhere, and a device without "git lfs pull" sees only pointers: exclude "space-v1" from "git lfs track".',
      ),
    );
  advice.push(note("Commit, pull and push regularly: Git carries nothing by itself."));
  return advice;
}

export const CARRIERS: readonly Carrier[] = [
  {
    name: "Syncthing",
    findMark: named(".stfolder"),
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
          "Edits usually reach other devices within 26 s if fsWatcherDelayS is 10, its default, and within 7 s if it is 1: set it in the folder's advanced configuration.",
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
    advise: () => [
      note("jj applies no merge attributes: it writes the markers of a conflict into files. foldspace reads both sides of them."),
      note(
        'Resolve conflicts with both sides kept; "jj resolve" with a tool that keeps one side would drop the changes of the other.',
      ),
    ],
  },
  { name: "Git", findMark: named(".git"), advise: adviseGit },
  {
    name: "Mercurial",
    findMark: named(".hg"),
    advise: (place) => {
      const settings = place.read(".hg/hgrc") ?? "";
      const isUnion = /^\s*\S*\*\.jsonl\s*=\s*(?:internal)?:union\s*$/m.test(settings);
      return isUnion
        ? []
        : [
            needed(
              '.hg/hgrc does not say how Mercurial joins logs: put "[merge-patterns]" and below it "**.jsonl = :union" into it.',
            ),
          ];
    },
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
    findMark: either(named("RCLONE_TEST", /\.jsonl\.conflict\d+$/), ({ rcloneListing }) => rcloneListing),
    advise: () => [
      note('Pass --local-no-check-updated: otherwise an edit while a file is copied stops all further runs until "--resync".'),
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
    note('A device reads only files that it has fetched: run "git annex get" for the folder on each, or "git annex assistant".'),
  ];
}
