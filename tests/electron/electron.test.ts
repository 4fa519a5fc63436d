import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { connectFolder } from "../../src/fs/electron/index.ts";
import { serveFolder, type FolderOfPages } from "../../src/fs/electron/main.ts";
import { forwardPorts } from "../../src/fs/electron/preload.ts";
import type { BridgeFileSystem } from "../../src/fs/bridge/index.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { testFileSystem } from "../../src/testing/file-system-suite.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";
import { handsIn } from "../external-writer.ts";
import { ElectronStandIn } from "./electron-stand-in.ts";

interface Running {
  readonly electron: ElectronStandIn;
  readonly folder: string;
  readonly served: FolderOfPages;
  readonly connect: (channel?: string) => BridgeFileSystem;
  readonly stop: () => Promise<void>;
}

const mayOpen = ({ url }: { readonly url: string }): boolean => new URL(url).protocol === "app:";

afterEach(() => vi.unstubAllGlobals());

async function run(writable?: readonly string[]): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "foldspace-electron-"));
  const electron = new ElectronStandIn();
  vi.stubGlobal("window", electron.window);
  const served = await serveFolder(electron.ipcMain, folder, { mayOpen, ...(writable && { writable }) });
  forwardPorts(electron.ipcRenderer);
  const clients: BridgeFileSystem[] = [];
  return {
    electron,
    folder,
    served,
    connect: (channel) => {
      const fs = connectFolder(channel === undefined ? {} : { channel });
      clients.push(fs);
      return fs;
    },
    stop: async () => {
      for (const fs of clients) fs.close();
      await served.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

testFileSystem("the folder of an Electron app", async () => {
  const running = await run();
  await mkdir(join(running.folder, "root"));
  return { fs: running.connect(), root: "root", outside: handsIn(running.folder), teardown: running.stop };
});

testPersistenceLayer("FileSystemPersistenceLayer in a page of an Electron app", async () => {
  const running = await run();
  const spaceId = newId();
  return {
    spaceId,
    createLayer: (id = spaceId) =>
      new FileSystemPersistenceLayer("space", id, { fs: running.connect(), flushIntervalMs: 10, gatherMs: 5 }),
    wipe: () => rm(join(running.folder, "space"), { recursive: true, force: true }),
    teardown: running.stop,
  };
});

describe("a folder of an Electron app", () => {
  test("is confined, and what is not writable cannot be changed", async () => {
    const running = await run(["space"]);
    const fs = running.connect();
    await fs.write("space/a", Uint8Array.of(1));
    expect([...(await readFile(join(running.folder, "space/a")))]).toEqual([1]);
    await expect(fs.write("b", Uint8Array.of(1))).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
    await expect(fs.read("../x")).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
    await running.stop();
  });

  test("is not given to a page that the app refuses, or whose frame is gone", async () => {
    const running = await run();
    for (const frame of [{ url: "https://example.org/" }, null]) {
      running.electron.frame = frame;
      await expect(running.connect().list("")).rejects.toMatchObject({ code: "FOLD_FOLDER_LOST" });
    }
    await running.stop();
  });

  test("is not given to a page that does not know the token of its port", async () => {
    const running = await run();
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port1.addEventListener("close", resolve));
    running.electron.window.postMessage({ foldspace: "foldspace", token: "secret" }, "/", [port2 as never]);
    const answers: unknown[] = [];
    port1.addEventListener("message", ({ data }) => {
      answers.push(data);
      port1.postMessage(new Uint8Array(32));
    });
    port1.start();
    port1.postMessage(new Uint8Array(32));
    await closed;
    // the challenge, and no acceptance
    expect(answers).toHaveLength(1);
    await running.stop();
  });

  test("is connected again when the main process serves it again", async () => {
    const running = await run();
    await writeFile(join(running.folder, "a"), "text");
    const fs = running.connect();
    expect(await fs.list("")).toHaveLength(1);
    await running.served.close();
    const again = await serveFolder(running.electron.ipcMain, running.folder, { mayOpen });
    await until("the folder is back", async () => (await fs.list("").catch(() => []))?.length === 1);
    await again.close();
    await running.stop();
  });

  test("is not looked for on channels that the preload script does not know", async () => {
    const running = await run();
    const fs = running.connect("other");
    const listing = fs.list("").catch(() => undefined);
    running.electron.window.postMessage({ foldspace: "foldspace", token: "known" }, "/", [new MessageChannel().port1 as never]);
    await until("the known channel is forwarded", () => running.electron.forwarded.length > 0);
    expect(running.electron.forwarded).toEqual(["known"]);
    fs.close();
    await listing;
    await running.stop();
  });
});
