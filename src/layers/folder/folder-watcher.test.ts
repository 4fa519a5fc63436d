import { expect, test } from "vitest";
import { systemClock, type Clock } from "../../clock.ts";
import type { WatchHint } from "../../fs/file-system.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { FolderWatcher, type RescanScope } from "./folder-watcher.ts";

interface Bench {
  readonly watcher: FolderWatcher;
  readonly rescans: RescanScope[];
  readonly hint: (hint: WatchHint) => void;
}

function setUp(
  clock: Clock,
  rescanIntervalMs: number,
  begin: Promise<void> = Promise.resolve(),
  durationMs: (scope: RescanScope) => number = () => 0,
): Bench {
  const fs = new MemoryFileSystem();
  const listeners: ((hint: WatchHint) => void)[] = [];
  fs.watch = async (_path, onHint) => {
    await begin;
    listeners.push(onHint);
    return async () => undefined;
  };
  const rescans: RescanScope[] = [];
  const watcher = new FolderWatcher(fs, "/home", clock, { gatherMs: 25, rescanIntervalMs }, async (scope) => {
    rescans.push(scope);
    const delayMs = durationMs(scope);
    if (delayMs > 0) await new Promise<void>((resolve) => void clock.schedule(delayMs, resolve));
  });
  return { watcher, rescans, hint: (hint) => listeners.forEach((listener) => listener(hint)) };
}

test("continuous hints do not postpone the next full rescan", async () => {
  const clock = new ManualClock();
  const { watcher, rescans, hint } = setUp(clock, 30_000);
  await watcher.start();
  for (let step = 0; step < 600; step++) {
    hint({ kind: "dirty", directory: "/home/a" });
    await clock.advance(100);
  }
  expect(rescans.filter((folders) => folders === "all").length).toBeGreaterThanOrEqual(3);
  expect(rescans.filter((folders) => folders !== "all").length).toBeGreaterThan(300);
  await watcher.stop();
});

test("without an interval a full rescan runs when listening begins, on a hint and on request, and never by itself", async () => {
  const clock = new ManualClock();
  const { watcher, rescans, hint } = setUp(clock, Infinity);
  await watcher.start();
  await clock.advance(40 * 86_400_000);
  expect(rescans).toEqual(["all"]);
  hint({ kind: "rescan", reason: "events were lost" });
  await clock.advance(25);
  await watcher.rescan();
  expect(rescans).toEqual(["all", "all", "all"]);
  await watcher.stop();
});

test("an interval longer than a timer can be does not make rescans run one after another", async () => {
  const { watcher, rescans } = setUp(systemClock, 30 * 86_400_000);
  await watcher.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(rescans).toEqual(["all"]);
  await watcher.stop();
});

test("a watch that does not begin holds up no listening, and is used once it has begun", async () => {
  const clock = new ManualClock();
  let begin = (): void => undefined;
  const { watcher, rescans, hint } = setUp(clock, 30_000, new Promise((resolve) => (begin = resolve)));
  let isStarted = false;
  const starting = watcher.start().then(() => (isStarted = true));
  await clock.advance(5_100);
  await starting;
  expect([isStarted, rescans]).toEqual([true, ["all"]]);
  begin();
  await clock.advance(0);
  hint({ kind: "dirty", directory: "/home/a" });
  await clock.advance(25);
  expect(rescans).toEqual(["all", "all", [["/home/a", undefined]]]);
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

test("a rescan that takes long is rarer, and recent files are rescanned in between", async () => {
  const clock = new ManualClock();
  const { watcher, rescans } = setUp(clock, 30_000, undefined, (scope) => (scope === "all" ? 1_500 : 10));
  const started = watcher.start();
  await clock.advance(1_500);
  await started;
  // half a percent of the time
  await clock.advance(299_000);
  expect(rescans).toEqual(["all", ...Array.from({ length: 9 }, () => "recent")]);
  await clock.advance(2_000);
  expect(rescans.at(-1)).toBe("all");
  const stopped = watcher.stop();
  await clock.advance(2_000);
  await stopped;
  expect(clock.timerCount).toBe(0);
});

test("however long a rescan takes, the next one is after ten minutes", async () => {
  const clock = new ManualClock();
  const { watcher, rescans } = setUp(clock, 30_000, undefined, (scope) => (scope === "all" ? 60_000 : 0));
  const started = watcher.start();
  await clock.advance(60_000);
  await started;
  await clock.advance(601_000);
  expect(rescans.filter((scope) => scope === "all")).toHaveLength(2);
  const stopped = watcher.stop();
  await clock.advance(60_000);
  await stopped;
});

test("a rescan of recent files that comes due during a full rescan leaves no timer behind", async () => {
  const clock = new ManualClock();
  const { watcher } = setUp(clock, 30_000, undefined, (scope) => (scope === "all" ? 1_500 : 10));
  const started = watcher.start();
  await clock.advance(1_500);
  await started;
  await clock.advance(29_000);
  const rescanned = watcher.rescan();
  await clock.advance(5_000);
  await rescanned;
  await clock.advance(100_000);
  const stopped = watcher.stop();
  await clock.advance(2_000);
  await stopped;
  expect(clock.timerCount).toBe(0);
});
