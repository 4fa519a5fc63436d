import { invoke } from "@tauri-apps/api/core";
import { deleteDB } from "idb";
import { beforeAll, describe, type RunnerTask, type VitestTestRunner } from "vitest";
import { startTests } from "vitest/internal/browser";
import { TauriFileSystem } from "../../src/fs/tauri/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import { testFileSystem } from "../../src/testing/file-system-suite.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";
import { type Outcome, OutsideRequests } from "./outside-requests.ts";

// The page of an application that is the desktop app in everything else: it runs the suites with vitest's own runner, and
// is driven by the test `suites.window`.

const outside = new OutsideRequests();

const runner: VitestTestRunner = {
  importFile: () => {
    describe("in the window", declare);
  },
  config: {
    root: "/",
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { seed: 1, hooks: "stack", setupFiles: "list" },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
};

function declare(): void {
  // a window reaches its folder once its page has asked for it
  beforeAll(() => invoke<void>("folder_of_window"));

  testFileSystem("TauriFileSystem", async () => {
    const root = await outside.ask("makeRoot");
    return { fs: new TauriFileSystem(), root, outside: outside.hands, teardown: () => outside.hands.remove(root) };
  });

  testPersistenceLayer("FileSystemPersistenceLayer on TauriFileSystem", async () => {
    const folder = await outside.ask("makeRoot");
    const fs = new TauriFileSystem();
    const path = `${folder}/space`;
    const spaceId = newId();
    return {
      spaceId,
      createLayer: (id = spaceId) => new FileSystemPersistenceLayer(path, id, { fs, flushIntervalMs: 10, gatherMs: 5 }),
      wipe: () => fs.remove(path),
      teardown: () => outside.hands.remove(folder),
    };
  });

  testPersistenceLayer("IndexedDBPersistenceLayer", () => {
    const spaceId = newId();
    const databaseName = newId();
    return {
      spaceId,
      isAlwaysThere: true,
      createLayer: (id = spaceId) => new IndexedDBPersistenceLayer(id, { databaseName, flushIntervalMs: 5 }),
      wipe: async () => await deleteDB(databaseName),
      teardown: async () => await deleteDB(databaseName),
    };
  });
}

async function runAll(): Promise<void> {
  // `expect` asks the worker that vitest would have made for its settings
  Object.assign(globalThis, { __vitest_worker__: { config: { expect: {}, snapshotOptions: {} } } });
  const files = await startTests([{ filepath: "/suites", testLocations: undefined }], runner);
  const outcomes = files.flatMap((file) => (file.result?.errors ? [toOutcome(file, file.name)] : toOutcomes(file.tasks, "")));
  outside.send({ outcomes });
}

function toOutcomes(tasks: readonly RunnerTask[], above: string): Outcome[] {
  return tasks.flatMap((task) => {
    const title = above === "" ? task.name : `${above} > ${task.name}`;
    return task.type === "suite" ? toOutcomes(task.tasks, title) : [toOutcome(task, title)];
  });
}

function toOutcome({ mode, result }: RunnerTask, title: string): Outcome {
  // in WebKit, a stack begins without the message
  const reason = result?.errors?.map(({ message, stack = "" }) => `${message}\n${stack}`).join("\n");
  const state = result?.state === "pass" ? "passed" : mode === "skip" || result?.state === "skip" ? "skipped" : "failed";
  return { title, state, ...(reason === undefined ? {} : { reason }) };
}

Object.assign(globalThis, { nextMessage: outside.next.bind(outside), runAll });
