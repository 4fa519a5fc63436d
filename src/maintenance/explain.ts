import type { FoldspaceErrorCode, Problem } from "../errors.ts";

/** A problem in plain words, for people who know nothing of files and formats. Each member has one or two whole sentences. */
export interface ProblemExplanation {
  /** The finding. */
  readonly what: string;
  /** Whether anything is lost, and what else follows from it. */
  readonly consequence: string;
  /** The effect of `foldspace repair`, and the options of the user. */
  readonly advice: string;
}

const KEPT_IN_PLACE = "Repair leaves it in place, as only its writer may change its file.";
const BY_HAND =
  "Repair leaves it in place. If you or another program edited the file, restore it from a backup or from the sync service's history.";

const EXPLANATIONS: Readonly<Partial<Record<FoldspaceErrorCode, ProblemExplanation>>> = {
  FOLD_TORN_LINE: {
    what: "A change was written only in part: a program or a sync service was interrupted while it wrote the file.",
    consequence: "This one change is missing here, unless its device saves it again. All other changes of the file were read.",
    advice: `${KEPT_IN_PLACE} Open the space once on the device that wrote it and let it sync; if that device has ended for good, "foldspace repair --own" with the id in the file's name completes or removes the cut-off line.`,
  },
  FOLD_BAD_LINE: {
    what: "A line of the file is not a change that any version of the format knows.",
    consequence: "The line is skipped, and stays in the file. All other changes of the file were read.",
    advice: BY_HAND,
  },
  FOLD_MERGE_MARKER: {
    what: "A version control program, such as Git, Mercurial, Subversion, Fossil or jj, found a conflict in the file and left its markers in it.",
    consequence: "Nothing is lost: the changes of both sides, around the markers, were read.",
    advice:
      'Repair leaves it, because only its writer may change the file. Mark the conflict as resolved with both sides kept. "foldspace doctor" with the folder says which setting lets Git or Mercurial join such files by itself; the page on carriers (docs/carriers.md) has the other programs.',
  },
  FOLD_LINE_TOO_LONG: {
    what: "A line of the file is longer than any change can be.",
    consequence: "The line is skipped, and stays in the file. All other changes of the file were read.",
    advice: BY_HAND,
  },
  FOLD_TOO_DEEP: {
    what: "A change contains a value that is nested more deeply than programs can read safely.",
    consequence: "This one change is skipped, and stays in the file.",
    advice: `${KEPT_IN_PLACE} Please report it to the makers of the app that wrote it.`,
  },
  FOLD_BAD_VALUE: {
    what: "A change contains a number that is too large to be kept.",
    consequence: "This one change is skipped, and stays in the file.",
    advice: `${KEPT_IN_PLACE} Please report it to the makers of the app that wrote it.`,
  },
  FOLD_BAD_COUNTER: {
    what: "A change has a sequence number that no change can have.",
    consequence: "This one change is skipped, and stays in the file: if it were accepted, later changes might become impossible.",
    advice: BY_HAND,
  },
  FOLD_BAD_ID: {
    what: "A change, or the device that made it, has an id that could lead outside of the space, or that cannot be written safely.",
    consequence: "It is skipped here, and stays in place.",
    advice: BY_HAND,
  },
  FOLD_BAD_UTF8: {
    what: "A line of the file is damaged: its bytes are not text.",
    consequence: "The line is skipped, and stays in the file. All other changes of the file were read.",
    advice: BY_HAND,
  },
  FOLD_CONFLICT_COPY: {
    what: "A sync service found two versions of a file and kept one of them under another name.",
    consequence: "Nothing is lost: the changes in the copy were read like all others.",
    advice:
      "Repair makes sure that another file contains each of its changes, and moves the copy to lost+found. You need not do anything, now or later.",
  },
  FOLD_NOT_DOWNLOADED: {
    what: "The program that carries the folder shows the file, but has not fetched its contents to this device.",
    consequence: "Nothing is lost. Its contents are missing here until they are fetched, and are not written over.",
    advice:
      'Repair leaves it alone. Set the sync service to keep this folder on the device ("Always keep on this device", "Keep Downloaded", "Make available offline"), and wait until it has synced. With git-annex, run "git annex get"; with Git LFS, "git lfs pull".',
  },
  FOLD_FILES_MISSING: {
    what: "Many files of the folder are missing at once, as if a sync service had been told to leave them out, or as if they had been moved.",
    consequence:
      "Nothing is lost: a running app still has what they contained. If they stay away for long, it writes to the folder again what no other file contains.",
    advice:
      "Repair leaves it alone. If the folder was just packed, the joined files contain it all, and you need not do anything. Otherwise bring the files back if you moved them, or set the sync service to keep the whole folder on this device.",
  },
  FOLD_LINKED_FILE: {
    what: "A file of the space is a link here. By default, git-annex replaces each file with one. Links are never followed, because they can lead anywhere.",
    consequence: "Nothing is lost, but the contents of the file are missing here.",
    advice:
      'Repair leaves it in place, and it must not be deleted: other devices would lose the file. If git-annex made it, run "git annex unlock" with the folder, and "git config annex.addunlocked true", so that new files stay files.',
  },
  FOLD_FOREIGN_FILE: {
    what: "A file among those of the space does not belong to it.",
    consequence: "Nothing is lost: it is ignored.",
    advice:
      "Repair moves it to lost+found, unless it is a link, a pipe or a device, or its name cannot be read. You can delete those yourself if you know what they are.",
  },
  FOLD_ID_COLLISION: {
    what: "Two different changes have the same id, as if two devices had written under one name. The usual reason is that a folder or a disk image was copied while in use.",
    consequence: "Both changes are in the folder, but each device shows only one of them, and devices may differ in which one.",
    advice:
      "Repair leaves both, because it cannot know which is right. Check the item that was changed and set it once more: the new change wins everywhere.",
  },
  FOLD_NO_ROOT: {
    what: "The change that begins a tree is missing.",
    consequence: "The other changes of the tree are kept, but the tree cannot be shown until that change arrives.",
    advice:
      "Repair leaves it. Wait until the folder has synced, or open the space once on the device that made the tree; otherwise restore the missing file from a backup. If files of old days were deleted, restore them: each tree begins in one of them.",
  },
  FOLD_TWO_SPACES: {
    what: "Two devices each began a space in this folder before it was synced for the first time, and the sync service has put both together.",
    consequence:
      "Nothing is lost, but apps show only one of the two. The contents of the other one are in the folder, and do not show.",
    advice:
      'Run "foldspace join" with the folder: it brings the contents of both into the space that space.json names. It removes nothing, can be run again, and does the same on every device.',
  },
  FOLD_ONLY_IN_LOST_FOUND: {
    what: "Only lost+found contains these changes: a repair moved their file there, and the file that should contain them instead is missing.",
    consequence: "Nothing is lost, but these changes do not show.",
    advice:
      'Repair leaves them there. Wait until the folder has synced; if they are still missing then, "foldspace repair --undo" with the name of the folder in lost+found puts the file back.',
  },
  FOLD_OLD_FORMAT: {
    what: "Changes arrived in the layout of version 0, from a device that did not know yet that the space was converted.",
    consequence: "Nothing is lost, but these changes do not show.",
    advice:
      'Repair leaves them in place; "foldspace migrate" with the folder adds them. Update the app on the device that wrote them.',
  },
  FOLD_BAD_SPACE_FILE: {
    what: "The file space.json, which says which space this is, is damaged or missing.",
    consequence: "Nothing else is lost, but the space cannot be opened.",
    advice:
      'Wait until the folder has synced, or copy the file from a backup or another device: it is the same on all of them. If the changes in the folder belong to one space, "foldspace repair" writes the file again; if they belong to several, repair does nothing until the file is back.',
  },
  FOLD_FOLDER_LOST: {
    what: "The folder cannot be found: it was moved or deleted, or its disk is not connected.",
    consequence: "Nothing that is open is lost: it is kept in memory, and saved when the folder is back.",
    advice: "There is nothing to repair. Put the folder back in its place, or connect the disk.",
  },
  FOLD_PERMISSION: {
    what: "This user may not read or write a file or folder of the space.",
    consequence: "Its contents are missing here, or changes are not saved there yet. Nothing that is open is lost.",
    advice:
      "Repair leaves it alone. Check who owns it, and give yourself the right to read and write it. If several users share the folder, their group needs that right, too. A mount of rclone needs a write cache (--vfs-cache-mode writes).",
  },
  FOLD_BUSY: {
    what: "Another program blocks a file at the moment, so it cannot be read or changed.",
    consequence: "Nothing is lost. The contents of the file may be missing here for the time being.",
    advice:
      "Close other programs that use the folder, or wait for the sync service. Apps try again by themselves; a command must be run again.",
  },
  FOLD_TIMEOUT: {
    what: "The disk, or the program that provides it, did not answer in time.",
    consequence: "Nothing is lost. The contents of the file or folder may be missing here until it answers.",
    advice:
      "Repair leaves it alone. Check the connection to the disk or the network drive. Apps try again by themselves; a command must be run again.",
  },
  FOLD_DISK_FULL: {
    what: "The disk is full, or the user's quota on it is used up.",
    consequence: "Nothing that is open is lost: changes are kept in memory, and saved when there is room again.",
    advice: "Make room on the disk before you close the app; it tries again by itself.",
  },
  FOLD_READ_ONLY: {
    what: "The folder or a file in it can only be read.",
    consequence: "Nothing is lost, but changes are not saved there.",
    advice:
      "Repair cannot write there either. Give yourself the right to write to the folder, or keep the space on another disk.",
  },
  FOLD_IO: {
    what: "The system reported an error while a file was read or written.",
    consequence: "The contents of the file may be missing here. Nothing was changed.",
    advice: "Repair leaves it alone. Check the disk, and compare the file with a backup or with the folder of another device.",
  },
  FOLD_SECRETS_BROKEN: {
    what: "A file with secrets cannot be decrypted: it was damaged, or belongs to another space.",
    consequence:
      "Secrets that only this file contains are missing here. When secrets are saved, the file is kept under another name.",
    advice:
      "Repair leaves it in place. Let the folder sync, or restore the file from a backup. If no secret is missing, you can delete the file that was set aside.",
  },
  FOLD_SECRETS_TOO_LARGE: {
    what: "A file with secrets is larger than any that programs write, or the folder has too many of them.",
    consequence: "The file is kept, but its contents are not used.",
    advice: "Repair leaves it in place. Find out who put it there, and delete it if it is not yours.",
  },
  FOLD_SECRETS_PARAMETERS: {
    what: "A file with secrets asks for a passphrase to be checked too cheaply, or at a cost that no device can bear.",
    consequence: "The file is kept, but its contents are not used: an attacker may have changed it to find out the passphrase.",
    advice: "Repair leaves it in place. Restore the file from a backup, and find out who has written into the folder.",
  },
  FOLD_SECRETS_UNPROTECTED: {
    what: "The folder contains other, unprotected values of secrets that are under a passphrase. An app that knows of no passphrase wrote them, or another person with access to the folder.",
    consequence: "Nothing is lost: the protected values win, and the others are kept beside them.",
    advice: "Repair leaves them in place. Set each of these secrets again, or delete it: that removes the other value.",
  },
  FOLD_PEER_CLONED: {
    what: "Another device or program makes changes under the same id as this app, as if the app's data had been copied to it.",
    consequence: "Nothing is lost: this app continues under a new id, and repeats the changes that both made.",
    advice:
      "There is nothing to repair, and you need not do anything. To avoid it, do not copy the data of an app or a browser profile to another device.",
  },
  FOLD_SECRETS_ROLLED_BACK: {
    what: "The secrets are older than those that this device has seen.",
    consequence: "Secrets that were saved since may be missing here, and are not overwritten.",
    advice:
      "Repair leaves it alone. Wait until the folder has synced; if a backup was restored on purpose, accept them (--accept-older).",
  },
  FOLD_BAD_RECORD: {
    what: "A stored batch of changes is damaged.",
    consequence: "The changes in it are missing here, unless another place of the space has them. They stay where they are.",
    advice: "Repair works on folders only. Open the space together with its folder, which supplies the missing changes.",
  },
};

const OTHER: ProblemExplanation = {
  what: "A part of the space could not be read.",
  consequence: "Its contents are missing here. Nothing was changed.",
  advice: "Repair leaves it alone. Check the file that is named: the disk, its rights, or the sync service may be the reason.",
};

const TORN_AND_SAFE: ProblemExplanation = {
  what: "A line of the file contains several changes, or the beginning of a change that was written once more as a whole.",
  consequence: "Nothing is lost: all changes were read.",
  advice: `${KEPT_IN_PLACE} You need not do anything.`,
};

/** Explains in plain words what a problem is, whether anything is lost, and what to do. */
export function explainProblem({ code, isLossless }: Problem): ProblemExplanation {
  return isLossless === true && code !== "FOLD_MERGE_MARKER" ? TORN_AND_SAFE : (EXPLANATIONS[code] ?? OTHER);
}
