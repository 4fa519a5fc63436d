import { isStorageAllowed } from "../../session/browser-settings.ts";
import { PLACE } from "./place.ts";
import type { FoldspaceErrorCode, Problem } from "foldspace";

/** What a code means to the person, and what they can do about it. */
export interface Explanation {
  readonly title: string;
  readonly advice: string;
  /** Whether it mends itself, or is only worth knowing. */
  readonly isMinor?: boolean;
}

/** Files of secrets, whatever a sync service has put around their names; the logs are in folders of their own. */
const SECRETS = /^space-v1\/(secrets-v2\/|[^/]*secrets)/i;
/** Where the browser keeps nothing: what is not in the folder is in the open page alone. */
const KEPT_IN_TAB = "Leave this tab open: what you write now is in it alone, and is saved as soon as it works again.";
const KEPT = `Nothing is lost: what you write is kept in this ${PLACE}, and is saved as soon as it works again.`;

const EXPLANATIONS: Partial<Record<FoldspaceErrorCode, Explanation>> = {
  FOLD_CONFLICT_COPY: {
    title: "A sync service made a copy",
    advice:
      "Everything in the copy was read, so nothing is missing. It can be put out of the way, or be deleted once every device shows the same notes.",
    isMinor: true,
  },
  FOLD_NOT_DOWNLOADED: {
    title: "Not downloaded yet",
    advice:
      "Your sync service has only a placeholder here. Ask it to keep this folder on this device (“Always keep on this device”); the notes in it appear by themselves.",
  },
  FOLD_FOREIGN_FILE: {
    title: "A file that does not belong here",
    advice: "It was not read and not touched. If you did not put it there on purpose, it can be put out of the way.",
    isMinor: true,
  },
  FOLD_TORN_LINE: {
    title: "A line was cut off",
    advice:
      "Usually a file that is still being synced, or a device that was switched off while it saved. It mends itself when the rest arrives; the other lines were read.",
  },
  FOLD_MERGE_MARKER: {
    title: "A conflict mark left by Git",
    advice:
      "The changes on both sides were read. Remove the lines that begin with <<<<<<<, ======= or >>>>>>> and commit the file.",
  },
  FOLD_BAD_LINE: {
    title: "A line that makes no sense",
    advice:
      "It was passed over, all others were read. Perhaps the file was edited by hand: an older version of it may have the line.",
  },
  FOLD_LINE_TOO_LONG: { title: "A line is too long", advice: "It was passed over, all others were read." },
  FOLD_TOO_DEEP: { title: "A value is nested too deeply", advice: "It was passed over, all others were read." },
  FOLD_BAD_COUNTER: { title: "A line has an impossible number", advice: "It was passed over, all others were read." },
  FOLD_BAD_ID: { title: "A name that cannot be used", advice: "It was passed over, everything else was read." },
  FOLD_BAD_UTF8: {
    title: "A line with damaged characters",
    advice: "It was passed over. A disk or a transfer may have damaged the file: an older version of it may be whole.",
  },
  FOLD_BAD_RECORD: {
    title: `A damaged record in the ${PLACE}’s storage`,
    advice: "What it held comes back from the folder, if the folder has it.",
  },
  FOLD_ID_COLLISION: {
    title: "Two changes with the same number",
    advice:
      "Two copies of this app seem to have written under one name, as when a whole computer was restored from a backup. One of the two changes is shown on every device.",
  },
  FOLD_PEER_CLONED: {
    title: "Another device writes under the same name",
    advice:
      "Its own data seems to have been copied from here, or to here. Nothing is lost: this page goes on under a new name by itself.",
    isMinor: true,
  },
  FOLD_NO_TREE: {
    title: "A page has not arrived yet",
    advice: "Your sync service has brought its name, and not what is on it. It appears by itself.",
  },
  FOLD_NO_ROOT: {
    title: "The beginning of a page is missing",
    advice: "The file that makes the page has not arrived yet. Let the sync service finish.",
  },
  FOLD_FOLDER_LOST: {
    title: "The folder is gone",
    advice: `It was moved, renamed or deleted, its disk is not connected, or the program that serves it has ended. As soon as it is back, saving goes on by itself; where the program was started anew, open the address that it has printed. ${KEPT}`,
  },
  FOLD_UNTRUSTED_SERVER: {
    title: "Another server answers at this address",
    advice: `If you have started “foldspace serve” anew, open the address that it has printed, here in this tab. If not, another program has taken its place: it has been told nothing, and gets nothing. ${KEPT}`,
  },
  FOLD_NOT_FOUND: {
    title: "There is no such folder",
    advice: `It may have been moved or renamed, or its disk is not connected. ${KEPT}`,
  },
  FOLD_NOT_A_SPACE: {
    title: "The folder holds no notes",
    advice: `The files may not have arrived yet, or this is another folder. ${KEPT}`,
  },
  FOLD_NOT_A_FOLDER: { title: "This is a file, not a folder", advice: "Choose the folder that your notes are to be kept in." },
  FOLD_OLD_FORMAT: {
    title: "Notes in an older format",
    advice: "They have to be converted once, which keeps the old files. You are asked before that when you choose the folder.",
  },
  FOLD_BAD_SPACE_FILE: {
    title: "space.json is missing or damaged",
    advice: `It names the space. Let the sync service finish, or take the file from another device. ${KEPT}`,
  },
  FOLD_SPACE_MISMATCH: {
    title: "The folder holds other notes",
    advice: "Its space.json names another space. Choose another folder, or open that space instead.",
  },
  FOLD_NEWER_FORMAT: {
    title: "Written by a newer version",
    advice: "Another tab or program uses a newer version. Reload this page to get it.",
  },
  FOLD_FOREIGN_STORAGE: {
    title: `The ${PLACE}’s storage belongs to something else`,
    advice: "Another page at this address uses a database of the same name. Your notes are kept in the folder only.",
  },
  FOLD_PERMISSION: {
    title: "Not permitted",
    advice: `The computer does not let this app read or write there. Allow it in the folder’s settings, or reconnect the folder. ${KEPT}`,
  },
  FOLD_READ_ONLY: { title: "The folder is read-only", advice: `Allow writing in it, or choose another folder. ${KEPT}` },
  FOLD_DISK_FULL: { title: "The disk is full", advice: `Make some room on it. ${KEPT}` },
  FOLD_BUSY: { title: "The folder does not answer", advice: `Something else is using it; it is tried again. ${KEPT}` },
  FOLD_IO: { title: "Reading or writing failed", advice: `It is tried again. If it goes on, check the disk. ${KEPT}` },
  FOLD_UNAVAILABLE: {
    title: "The storage cannot be reached",
    advice:
      "The browser does not allow it here (perhaps in a private window), or the program that serves this page was started anew: then open the address that it has printed.",
  },
  FOLD_NOT_DURABLE: { title: "Not everything is saved", advice: "Leave this page open until it is." },
  FOLD_WRONG_PASSPHRASE: {
    title: "That is not the passphrase",
    advice: "Mind capitals and the keyboard’s language. The recovery code opens them, too.",
  },
  FOLD_SECRETS_LOCKED: { title: "The secrets are locked", advice: "Give the passphrase first." },
  FOLD_SECRETS_PROTECTION: {
    title: "Another device was quicker",
    advice: "The protection was changed there meanwhile. Look again at what is shown now.",
  },
  FOLD_SECRETS_ROLLED_BACK: {
    title: "The secrets are older than before",
    advice:
      "The folder may have been put back to an earlier state. Unlock again to take them as they are, or let the sync service finish first.",
  },
  FOLD_SECRETS_BROKEN: {
    title: "A file of secrets cannot be read",
    advice: "It is damaged, or still being synced. An older version of the folder’s secrets files may be whole.",
  },
  FOLD_SECRETS_UNPROTECTED: {
    title: "Another value of a protected secret",
    advice:
      "An app that knows of no passphrase wrote it into the folder, or somebody else who has the folder. It is not used; set that secret again, or delete it, and the other value goes.",
  },
  FOLD_SECRETS_PARAMETERS: {
    title: "A file of secrets is not to be trusted",
    advice: "What it asks for to check the passphrase is too little or too much. It was not opened.",
  },
  FOLD_SECRETS_TOO_LARGE: { title: "Too much for a secret", advice: "Keep long texts in a page." },
  FOLD_BAD_VALUE: { title: "This cannot be stored", advice: "It may be too long: one item can have about 2 million characters." },
};

const OTHER: Explanation = { title: "Something went wrong", advice: "The details say what." };

/** What else codes mean of something that was found in the folder, than of something that was tried here. */
const FOUND: Partial<Record<FoldspaceErrorCode, Explanation>> = {
  FOLD_BAD_VALUE: { title: "A line with a number that is too large", advice: "It was passed over, all others were read." },
  FOLD_PERMISSION: {
    title: "A file that may not be read",
    advice: "What stands in it is missing here. Give yourself the right to read it, and see who has put it there.",
  },
  FOLD_ONLY_IN_LOST_FOUND: {
    title: "Changes in lost+found only",
    advice:
      "A repair moved a file there, and what was to contain its changes instead is missing. Wait until the folder has synced; if they are still missing then, undo that repair.",
  },
  FOLD_SECRETS_LOCKED: {
    title: "Secrets under another passphrase",
    advice:
      "Two devices have protected the secrets without knowing of each other. Lock them, and unlock them with the passphrase that was set on the other one: then all of them are open.",
  },
  FOLD_SECRETS_ROLLED_BACK: {
    title: "A file of secrets is older than before",
    advice:
      "It was not used. Let the sync service finish; where the folder was put back to an earlier state on purpose, unlock the secrets again to take them as they are.",
  },
  FOLD_SECRETS_TOO_LARGE: {
    title: "Too large for a file of secrets",
    advice: "It was not read. Find out who put it there, and delete it if it is none of yours.",
  },
};

const COPY_OF_SECRETS: Explanation = {
  title: "A sync service made a copy of the secrets",
  advice: "All that is in it was read, so nothing is missing, and there is nothing to do.",
  isMinor: true,
};

/** What something that was found in the folder or in the browser's storage means. */
export function describeProblem({ code, file }: Problem): Explanation {
  const isOfSecrets = file !== undefined && SECRETS.test(file);
  if (isOfSecrets && code === "FOLD_CONFLICT_COPY") return COPY_OF_SECRETS;
  return FOUND[code] ?? describeError(code);
}

/** What an error means that something was answered with. */
export function describeError(code: FoldspaceErrorCode | undefined): Explanation {
  const explanation = (code && EXPLANATIONS[code]) ?? OTHER;
  return isStorageAllowed() ? explanation : forTab(explanation);
}

/** One for each, so that they can be told apart as those that they are made of. */
const forTabs = new Map<Explanation, Explanation>();

function forTab(explanation: Explanation): Explanation {
  const known = forTabs.get(explanation);
  if (known) return known;
  const made = { ...explanation, advice: explanation.advice.replace(KEPT, KEPT_IN_TAB) };
  forTabs.set(explanation, made);
  return made;
}
