import { FoldspaceError, type FoldspaceErrorCode, type LayerReport } from "foldspace";
import { describe, expect, test } from "vitest";
import { describeStatus } from "./status.ts";

function layer(id: string, changes: Partial<LayerReport> = {}): LayerReport {
  return { id, state: "idle", pendingOps: 0, lastSavedAt: undefined, error: undefined, isLoading: false, ...changes };
}

function failed(code: FoldspaceErrorCode): Partial<LayerReport> {
  return { state: "degraded", pendingOps: 3, error: new FoldspaceError(code, "It failed") };
}

const say = (browser?: Partial<LayerReport>, folder?: Partial<LayerReport>, isFolderLocked = false): string => {
  const kept = {
    browser: browser && layer("browser", browser),
    folder: folder && layer("folder", folder),
    isFolderLocked,
  };
  const { tone, text } = describeStatus(kept);
  return `${tone}: ${text}`;
};

describe("describeStatus", () => {
  test("names the places of the notes", () => {
    expect(say({}, {})).toBe("good: Saved in browser and folder");
    expect(say({})).toBe("good: Saved in this browser");
  });

  test("reports pending changes", () => {
    expect(say({ state: "saving", pendingOps: 1 }, {})).toBe("busy: Saving…");
    expect(say({}, { pendingOps: 1 })).toBe("busy: Saving…");
    expect(say({}, { state: "offline", isLoading: true })).toBe("busy: Reading the folder…");
  });

  test("counts unsaved typing as pending", () => {
    const kept = { browser: layer("browser"), folder: layer("folder"), isFolderLocked: false };
    expect(describeStatus(kept, true).text).toBe("Saving…");
  });

  test("gives the reason why the folder is incomplete, and mentions the browser's copy", () => {
    expect(say({}, failed("FOLD_FOLDER_LOST"))).toBe("warn: Folder unreachable – kept in the browser");
    expect(say({}, failed("FOLD_DISK_FULL"))).toBe("warn: Disk full – kept in the browser");
    expect(say({}, failed("FOLD_READ_ONLY"))).toBe("warn: Folder is read-only – kept in the browser");
    expect(say({}, undefined, true)).toBe("warn: Folder not connected – kept in the browser");
  });

  test("does not miss the browser's copy if the browser must keep nothing", () => {
    const alone = (changes: Partial<LayerReport>, isWriting = false): string => {
      const kept = { browser: undefined, folder: layer("folder", changes), isFolderLocked: false, isFolderOnly: true };
      const { tone, text } = describeStatus(kept, isWriting);
      return `${tone}: ${text}`;
    };
    expect(alone({})).toBe("good: Saved in the folder");
    expect(alone({}, true)).toBe("busy: Saving…");
    expect(alone({ state: "saving", pendingOps: 1 })).toBe("busy: Saving…");
    expect(alone({ state: "offline", isLoading: true })).toBe("busy: Reading the folder…");
    expect(alone(failed("FOLD_UNTRUSTED_SERVER"))).toBe("bad: Another server answers – not saved");
  });

  test("does not hide that nothing is saved", () => {
    expect(say(failed("FOLD_DISK_FULL"), failed("FOLD_FOLDER_LOST"))).toBe("bad: Folder unreachable – not saved");
    expect(say(failed("FOLD_UNAVAILABLE"))).toBe("bad: Not saved");
    expect(say(failed("FOLD_UNAVAILABLE"), {})).toBe("warn: Saved in the folder only");
  });
});
