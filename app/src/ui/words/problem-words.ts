import { isStorageAllowed } from "../../session/browser-settings.ts";
import { PLACE } from "./place.ts";
import type { FoldspaceErrorCode, Problem } from "foldspace";

/**
 * A code in words for the user of this app. The app has words of its own beside the library's `explainProblem`: these have a short
 * title, refer to this app's buttons and storage instead of the command line, and also cover errors of calls, which the library
 * does not explain.
 */
export interface Explanation {
  readonly title: string;
  /** The consequence, and what the user can do. */
  readonly advice: string;
  /** Whether it resolves itself, or is only worth knowing. */
  readonly isMinor?: boolean;
}

/** Files of secrets, also under names that a sync service has extended; the logs are in folders of their own. */
const SECRETS = /^space-v1\/(secrets-v2\/|[^/]*secrets)/i;
/** For browsers that keep nothing: changes that are not in the folder are only in the open page. */
const KEPT_IN_TAB = "Leave this tab open: only this tab contains what you write now. It is saved as soon as saving works again.";
const KEPT = `Nothing is lost: what you write is kept in this ${PLACE}, and is saved as soon as saving works again.`;
/** For the storage beside the folder, which does not keep anything itself while it fails. */
const KEPT_ELSEWHERE = "Leave this page open until it works again, unless the folder has everything.";

const EXPLANATIONS: Partial<Record<FoldspaceErrorCode, Explanation>> = {
  FOLD_CONFLICT_COPY: {
    title: "A sync service made a copy",
    advice: "Everything in the copy was read, so nothing is missing. It can stay; “Tidy up the folder” moves it away.",
    isMinor: true,
  },
  FOLD_NOT_DOWNLOADED: {
    title: "Not downloaded yet",
    advice:
      "The sync service shows the file, but has not fetched its contents to this device. Set it to keep this folder here (“Always keep on this device”, “Keep Downloaded”; for git-annex “git annex get”, for Git LFS “git lfs pull”). The notes in the file then appear by themselves.",
  },
  FOLD_FILES_MISSING: {
    title: "Many files are missing",
    advice:
      "The notes in them are still here. If the folder was just put in order, on any device, you need not do anything. If you moved the files, or told a sync service to leave them out, bring them back; otherwise the notes are written to the folder again after a while.",
  },
  FOLD_LINKED_FILE: {
    title: "A file that is a link here",
    advice:
      "Links are never followed, so the notes in it are missing here. Do not delete it. If git-annex made it, run “git annex unlock” in the folder.",
  },
  FOLD_FOREIGN_FILE: {
    title: "A file that does not belong here",
    advice: "It was neither read nor changed. “Tidy up the folder” moves it away.",
    isMinor: true,
  },
  FOLD_TORN_LINE: {
    title: "A line was cut off",
    advice:
      "Usually the file is still being synced, or a device was switched off while it saved. The line is read when the rest arrives; all other lines were read.",
  },
  FOLD_MERGE_MARKER: {
    title: "A conflict marker left by Git or a program like it",
    advice:
      "The changes on both sides were read. Nothing is lost. Mark the conflict as resolved with both sides kept, without the lines that begin with <<<<<<<, ======= or >>>>>>>.",
  },
  FOLD_BAD_LINE: {
    title: "A line that cannot be understood",
    advice:
      "It was skipped, and all other lines were read. Perhaps the file was edited by hand: an older version of it may have the line.",
  },
  FOLD_LINE_TOO_LONG: { title: "A line is too long", advice: "It was skipped, and all other lines were read." },
  FOLD_TOO_DEEP: { title: "A value is nested too deeply", advice: "It was skipped, and all other lines were read." },
  FOLD_BAD_COUNTER: { title: "A line has an impossible number", advice: "It was skipped, and all other lines were read." },
  FOLD_BAD_ID: { title: "An id that cannot be used", advice: "What has it was skipped, and everything else was read." },
  FOLD_BAD_UTF8: {
    title: "A line with damaged characters",
    advice: "It was skipped. A disk or a transfer may have damaged the file: an older version of it may be intact.",
  },
  FOLD_BAD_RECORD: {
    title: `A damaged record in the ${PLACE}’s storage`,
    advice: "Its contents come back from the folder, if the folder has them.",
  },
  FOLD_ID_COLLISION: {
    title: "Two changes with the same number",
    advice:
      "Two copies of this app seem to have written under one name, for example after a whole computer was restored from a backup. Every device shows one of the two changes: check the item, and write it once more.",
  },
  FOLD_PEER_CLONED: {
    title: "Another device writes under the same name",
    advice:
      "Its data seems to have been copied from here, or to here. Nothing is lost: this page continues under a new name by itself.",
    isMinor: true,
  },
  FOLD_NO_TREE: {
    title: "A page has not arrived yet",
    advice: "Your sync service has delivered its name, but not its contents yet. They appear by themselves.",
  },
  FOLD_NO_ROOT: {
    title: "The beginning of a page is missing",
    advice:
      "The file in which the page begins is missing. Let the sync service finish. If files of old days were deleted, restore them from a backup.",
  },
  FOLD_FOLDER_LOST: {
    title: "The folder cannot be found",
    advice: `It was moved, renamed or deleted, its disk is not connected, or “foldspace serve” has ended. As soon as it is back, saving continues by itself; if “foldspace serve” was restarted, open the address that it has printed. ${KEPT}`,
  },
  FOLD_UNTRUSTED_SERVER: {
    title: "Another server answers at this address",
    advice: `If you have restarted “foldspace serve”, open the address that it has printed, here in this tab. If not, another program has taken its place: it has received nothing from this page, and will not. ${KEPT}`,
  },
  FOLD_NOT_FOUND: {
    title: "There is no such folder",
    advice: `It may have been moved or renamed, or its disk is not connected. ${KEPT}`,
  },
  FOLD_NOT_A_SPACE: {
    title: "The folder contains no notes",
    advice: `The files may not have arrived yet, or this is another folder. ${KEPT}`,
  },
  FOLD_NOT_A_FOLDER: { title: "This is a file, not a folder", advice: "Choose the folder for your notes." },
  FOLD_OLD_FORMAT: {
    title: "Notes in an older format",
    advice: "They must be converted once, which keeps the old files. You are asked for consent when you choose the folder.",
  },
  FOLD_BAD_SPACE_FILE: {
    title: "space.json is missing or damaged",
    advice: `The file says which notes these are. Let the sync service finish, or copy the file from another device. The command “foldspace repair” can usually write it again. ${KEPT}`,
  },
  FOLD_SPACE_MISMATCH: {
    title: "The folder contains other notes",
    advice: "Its space.json has the id of other notes. Choose another folder, or open those notes instead.",
  },
  FOLD_NEWER_FORMAT: {
    title: "Written by a newer version",
    advice: "Another tab or program uses a newer version. Reload this page to get it.",
  },
  FOLD_FOREIGN_STORAGE: {
    title: `The ${PLACE}’s storage belongs to something else`,
    advice:
      "Another page at this address uses a database of the same name, so notes cannot be kept here. Use a folder, or another browser profile.",
  },
  FOLD_PERMISSION: {
    title: "Not permitted",
    advice: `This app is not allowed to read or write there. Allow it in the folder’s settings (the details name the file or folder), or reconnect the folder. ${KEPT}`,
  },
  FOLD_READ_ONLY: { title: "The folder is read-only", advice: `Allow writing in it, or choose another folder. ${KEPT}` },
  FOLD_DISK_FULL: { title: "The disk is full", advice: `Make room on it. ${KEPT}` },
  FOLD_BUSY: { title: "The storage is in use", advice: `Another program or tab blocks it; this app retries by itself. ${KEPT}` },
  FOLD_TIMEOUT: {
    title: "The disk does not answer",
    advice: `Check the connection to the disk or the network drive; this app retries by itself. ${KEPT}`,
  },
  FOLD_IO: {
    title: "Reading or writing failed",
    advice: `This app retries by itself. If the failure continues, check the disk. ${KEPT}`,
  },
  FOLD_UNAVAILABLE: {
    title: "Not available here",
    advice:
      "The browser does not allow it on this page: perhaps the window is private, the page came over plain http from another computer, or its server forbids it. The details name the reason. If “foldspace serve” was restarted, open the address that it has printed.",
  },
  FOLD_NOT_DURABLE: { title: "Not everything is saved", advice: "Leave this page open until it is." },
  FOLD_WRONG_PASSPHRASE: {
    title: "That is not the passphrase",
    advice: "Check capitals and the keyboard’s language. The recovery code opens the secrets, too.",
  },
  FOLD_SECRETS_LOCKED: { title: "The secrets are locked", advice: "Enter the passphrase first." },
  FOLD_SECRETS_PROTECTION: {
    title: "Another device was quicker",
    advice: "The protection was changed there meanwhile. Check the state that is shown now.",
  },
  FOLD_SECRETS_ROLLED_BACK: {
    title: "The secrets are older than before",
    advice:
      "The folder may have been restored to an earlier state. Unlock again to accept them, or let the sync service finish first.",
  },
  FOLD_SECRETS_BROKEN: {
    title: "A file of secrets cannot be read",
    advice: "It is damaged, or still being synced. An older version of the folder’s secrets files may be intact.",
  },
  FOLD_SECRETS_UNPROTECTED: {
    title: "Another value of a protected secret",
    advice:
      "An app without the passphrase wrote it into the folder, or another person with access to the folder. It is not used. Set that secret again, or delete it: that removes the other value.",
  },
  FOLD_SECRETS_PARAMETERS: {
    title: "A file of secrets cannot be trusted",
    advice: "It asks for a check of the passphrase that is too weak or too costly. It was not opened.",
  },
  FOLD_SECRETS_TOO_LARGE: { title: "Too much for a secret", advice: "Keep long texts in a page." },
  FOLD_BAD_VALUE: { title: "This cannot be stored", advice: "It may be too long: one item can have about 2 million characters." },
};

const OTHER: Explanation = { title: "Something went wrong", advice: "See the details." };

/** Codes with another meaning for a problem in the folder than for an error of a call. */
const FOUND: Partial<Record<FoldspaceErrorCode, Explanation>> = {
  FOLD_BAD_VALUE: { title: "A line with a number that is too large", advice: "It was skipped, and all other lines were read." },
  FOLD_PERMISSION: {
    title: "A file that may not be read",
    advice: "Its contents are missing here. Give yourself the right to read it, and check who has put it there.",
  },
  FOLD_TWO_SPACES: {
    title: "Other notes in the same folder",
    advice:
      "Two devices each began notes here before the folder was synced for the first time. Nothing is lost, but this page shows only the notes of one. “Bring both together” adds the others.",
  },
  FOLD_ONLY_IN_LOST_FOUND: {
    title: "Changes in lost+found only",
    advice:
      "A repair moved a file there, and the file that should contain its changes instead is missing. Wait until the folder has synced; if they are still missing then, undo that repair with the command in the details.",
  },
  FOLD_SECRETS_LOCKED: {
    title: "Secrets under another passphrase",
    advice:
      "Two devices protected the secrets at the same time. Lock them, and unlock them with the other device’s passphrase: then all of them can be read.",
  },
  FOLD_SECRETS_ROLLED_BACK: {
    title: "A file of secrets is older than before",
    advice:
      "It was not used. Let the sync service finish. If the folder was restored to an earlier state on purpose, unlock the secrets again to accept them.",
  },
  FOLD_SECRETS_TOO_LARGE: {
    title: "Too large for a file of secrets",
    advice: "It was not read. Find out who put it there, and delete it if it is not yours.",
  },
};

const COPY_OF_SECRETS: Explanation = {
  title: "A sync service made a copy of the secrets",
  advice: "Everything in the copy was read, so nothing is missing, and you need not do anything.",
  isMinor: true,
};

/** Describes a problem in the folder or in the browser's storage. */
export function describeProblem({ code, file }: Problem): Explanation {
  const isOfSecrets = file !== undefined && SECRETS.test(file);
  if (isOfSecrets && code === "FOLD_CONFLICT_COPY") return COPY_OF_SECRETS;
  return FOUND[code] ?? describeError(code);
}

/** Describes the error of a call. */
export function describeError(code: FoldspaceErrorCode | undefined): Explanation {
  const explanation = (code && EXPLANATIONS[code]) ?? OTHER;
  return isStorageAllowed() ? explanation : forTab(explanation);
}

/** Describes an error of the storage beside the folder: it does not keep what is written now. */
export function describeStorageError(code: FoldspaceErrorCode): Explanation {
  const { advice, ...words } = EXPLANATIONS[code] ?? OTHER;
  return { ...words, advice: advice.replace(KEPT, KEPT_ELSEWHERE) };
}

/** One object for each explanation, so that callers can group by identity. */
const forTabs = new Map<Explanation, Explanation>();

function forTab(explanation: Explanation): Explanation {
  const known = forTabs.get(explanation);
  if (known) return known;
  const made = { ...explanation, advice: explanation.advice.replace(KEPT, KEPT_IN_TAB) };
  forTabs.set(explanation, made);
  return made;
}
