import type * as pluginFs from "@tauri-apps/plugin-fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { outsideHands } from "../../../tests/external-writer.ts";
import { FakeTauri } from "../../../tests/tauri/fake-tauri.ts";
import { HintLog } from "../../testing/file-system-watch-tests.ts";
import { TauriFileSystem } from "./tauri-file-system.ts";

type Plugin = typeof pluginFs;

// version 3 of the plugin cannot be installed beside version 2
vi.mock("@tauri-apps/plugin-fs", async (importOriginal) => {
  const plugin = await importOriginal<Plugin>();
  const watchImmediate: Plugin["watchImmediate"] = async (...args) => {
    const end = await plugin.watchImmediate(...args);
    const close = async (): Promise<void> => end();
    return { close } as unknown as typeof end;
  };
  return { ...plugin, watchImmediate };
});

test("a watch that is an object, as in version 3, is closed at the end", async () => {
  const tauri = FakeTauri.install();
  const root = await mkdtemp(join(tmpdir(), "foldspace-tauri-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const log = await HintLog.start(new TauriFileSystem(), root);
  await log.expectHint(root, () => outsideHands.write(`${root}/file`, "x"));
  await log.end();
  await expect.poll(() => tauri.openResources).toBe(0);
});
