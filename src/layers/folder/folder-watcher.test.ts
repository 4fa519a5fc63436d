import { expect, test } from "vitest";
import { systemClock, type Clock } from "../../clock.ts";
import type { WatchHint } from "../../fs/file-system.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { FolderWatcher } from "./folder-watcher.ts";

interface Bench {
  readonly watcher: FolderWatcher;
  readonly looks: (readonly string[] | "all")[];
  readonly hint: (hint: WatchHint) => void;
}

function setUp(clock: Clock, rescanIntervalMs: number, begin: Promise<void> = Promise.resolve()): Bench {
  const fs = new MemoryFileSystem();
  const listeners: ((hint: WatchHint) => void)[] = [];
  fs.watch = async (_path, onHint) => {
    await begin;
    listeners.push(onHint);
    return async () => undefined;
  };
  const looks: (readonly string[] | "all")[] = [];
  const watcher = new FolderWatcher(fs, "/home", clock, { gatherMs: 25, rescanIntervalMs }, async (folders) => {
    looks.push(folders);
  });
  return { watcher, looks, hint: (hint) => listeners.forEach((listener) => listener(hint)) };
}

test("hints that go on and on do not put off the next look at everything", async () => {
  const clock = new ManualClock();
  const { watcher, looks, hint } = setUp(clock, 30_000);
  await watcher.start();
  for (let step = 0; step < 600; step++) {
    hint({ kind: "dirty", directory: "/home/a" });
    await clock.advance(100);
  }
  expect(looks.filter((folders) => folders === "all").length).toBeGreaterThanOrEqual(3);
  expect(looks.filter((folders) => folders !== "all").length).toBeGreaterThan(300);
  await watcher.stop();
});

test("without an interval everything is looked at when listening begins, on a hint and when asked, and never by itself", async () => {
  const clock = new ManualClock();
  const { watcher, looks, hint } = setUp(clock, Infinity);
  await watcher.start();
  await clock.advance(40 * 86_400_000);
  expect(looks).toEqual(["all"]);
  hint({ kind: "rescan", reason: "events were lost" });
  await clock.advance(25);
  await watcher.rescan();
  expect(looks).toEqual(["all", "all", "all"]);
  await watcher.stop();
});

test("an interval longer than a timer can be does not make looks run one after another", async () => {
  const { watcher, looks } = setUp(systemClock, 30 * 86_400_000);
  await watcher.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(looks).toEqual(["all"]);
  await watcher.stop();
});

test("a watch that does not begin holds up no listening, and is used once it has begun", async () => {
  const clock = new ManualClock();
  let begin = (): void => undefined;
  const { watcher, looks, hint } = setUp(clock, 30_000, new Promise((resolve) => (begin = resolve)));
  let isStarted = false;
  const starting = watcher.start().then(() => (isStarted = true));
  await clock.advance(5_100);
  await starting;
  expect([isStarted, looks]).toEqual([true, ["all"]]);
  begin();
  await clock.advance(0);
  hint({ kind: "dirty", directory: "/home/a" });
  await clock.advance(25);
  expect(looks).toEqual(["all", "all", ["/home/a"]]);
  await watcher.stop();
});

test("listening that has ended leaves no timer behind", async () => {
  const clock = new ManualClock();
  const { watcher } = setUp(clock, 30_000);
  await watcher.start();
  expect(clock.timerCount).toBe(1);
  await watcher.stop();
  expect(clock.timerCount).toBe(0);
});
