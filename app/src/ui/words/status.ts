import { PLACE } from "./place.ts";
import type { LayerReport } from "foldspace";

/** The storage state of a space, in a few words. */
export interface StatusWords {
  readonly tone: "good" | "busy" | "warn" | "bad";
  readonly text: string;
  /** For narrow places. Default: the text. */
  readonly short?: string;
}

export interface KeptIn {
  readonly browser: LayerReport | undefined;
  readonly folder: LayerReport | undefined;
  /** Whether there is a folder that is not used until the user acts. */
  readonly isFolderLocked: boolean;
  /** Whether the folder is only read, as a copy. Default: no. */
  readonly isCopy?: boolean;
  /** Whether the browser must keep nothing. Default: no. */
  readonly isFolderOnly?: boolean;
}

/** Errors by which a folder cannot be reached at all, as opposed to not written. */
const UNREACHABLE: ReadonlySet<string> = new Set(["FOLD_FOLDER_LOST", "FOLD_NOT_FOUND", "FOLD_UNAVAILABLE", "FOLD_NOT_A_SPACE"]);

/** @param isWriting whether there are changes that no layer has received yet */
export function describeStatus(kept: KeptIn, isWriting: boolean = false): StatusWords {
  const { browser, folder, isFolderLocked, isFolderOnly = false, isCopy = false } = kept;
  if (isCopy && folder && !hasFailed(folder)) return { tone: "warn", text: "A copy – only read", short: "Only read" };
  const isKeptInBrowser = browser !== undefined && !hasFailed(browser);
  if (folder && hasFailed(folder)) {
    const what = folderTrouble(folder);
    return isKeptInBrowser
      ? { tone: "warn", text: `${what} – kept in the ${PLACE}`, short: what }
      : { tone: "bad", text: `${what} – not saved`, short: "Not saved" };
  }
  if (isFolderOnly && folder) {
    if (folder.isLoading) return { tone: "busy", text: "Reading the folder…", short: "Reading…" };
    if (isWriting || isSaving(folder)) return { tone: "busy", text: "Saving…" };
    return { tone: "good", text: "Saved in the folder", short: "Saved" };
  }
  if (!isKeptInBrowser && folder && !folder.isLoading)
    return isSaving(folder)
      ? { tone: "warn", text: "Saving in the folder only…", short: "Saving…" }
      : { tone: "warn", text: "Saved in the folder only", short: "Folder only" };
  if (!isKeptInBrowser) return { tone: "bad", text: "Not saved" };
  if (folder?.isLoading) return { tone: "busy", text: "Reading the folder…", short: "Reading…" };
  if (isWriting || isSaving(browser) || (folder && isSaving(folder))) return { tone: "busy", text: "Saving…" };
  if (folder) return { tone: "good", text: `Saved in ${PLACE} and folder`, short: "Saved" };
  if (isFolderLocked) return { tone: "warn", text: `Folder not connected – kept in the ${PLACE}`, short: "No folder" };
  return { tone: "good", text: `Saved in this ${PLACE}`, short: "Saved" };
}

/** State of one layer, in a sentence. */
export function describeLayer(report: LayerReport): StatusWords {
  const waiting = report.pendingOps > 0 ? `, ${count(report.pendingOps, "change")} waiting` : "";
  if (report.isLoading) return { tone: "busy", text: "Being read…" };
  if (hasFailed(report)) return { tone: "warn", text: `Cannot be used at the moment${waiting}` };
  if (isSaving(report)) return { tone: "busy", text: `Saving ${count(report.pendingOps, "change")}…` };
  return { tone: "good", text: "Has everything" };
}

export function hasFailed(report: LayerReport): boolean {
  return report.error !== undefined || report.state === "degraded" || (report.state === "offline" && !report.isLoading);
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

function isSaving({ state, pendingOps }: LayerReport): boolean {
  return state === "saving" || pendingOps > 0;
}

function folderTrouble({ error }: LayerReport): string {
  const code = error?.code;
  if (code === "FOLD_DISK_FULL") return "Disk full";
  if (code === "FOLD_READ_ONLY") return "Folder is read-only";
  if (code === "FOLD_PERMISSION") return "Folder not permitted";
  if (code === "FOLD_SPACE_MISMATCH") return "Folder has other notes";
  if (code === "FOLD_UNTRUSTED_SERVER") return "Another server answers";
  if (code === "FOLD_TIMEOUT") return "Folder does not answer";
  if (code === undefined || UNREACHABLE.has(code)) return "Folder unreachable";
  return "Folder cannot be used";
}
