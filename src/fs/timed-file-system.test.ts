import { expect, test } from "vitest";
import { FaultyFileSystem } from "../testing/faulty-file-system.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { testFileSystem } from "../testing/file-system-suite.ts";
import { MemoryFileSystem } from "./memory/memory-file-system.ts";
import { TimedFileSystem } from "./timed-file-system.ts";
import { systemClock } from "../clock.ts";

testFileSystem("TimedFileSystem", async () => {
  const inner = new MemoryFileSystem();
  await inner.makeDirectory("/root");
  return { fs: new TimedFileSystem(inner, systemClock), root: "/root" };
});

interface Bench {
  readonly clock: ManualClock;
  readonly fs: TimedFileSystem;
  readonly inner: FaultyFileSystem;
  /** Ends the hanging calls. */
  readonly release: () => void;
}

function setUp(): Bench {
  const clock = new ManualClock();
  const inner = new FaultyFileSystem(new MemoryFileSystem({ "/a/hung": "1", "/a/good": "2" }));
  const waiting: (() => void)[] = [];
  inner.fault = ({ path }) => (path === "/a/hung" ? new Promise((resolve) => waiting.push(() => resolve(undefined))) : undefined);
  return { clock, inner, fs: new TimedFileSystem(inner, clock), release: () => waiting.splice(0).forEach((end) => end()) };
}

test("a call that is not answered fails in time, and no second call for its path is made until it answers", async () => {
  const { clock, fs, inner, release } = setUp();
  const failures: unknown[] = [];
  const read = async (): Promise<void> => void (await fs.read("/a/hung").catch((error: unknown) => failures.push(error)));
  const first = read();
  await clock.advance(6_000);
  await first;
  expect(failures).toMatchObject([{ code: "FOLD_TIMEOUT", data: { path: "/a/hung" } }]);
  for (let time = 0; time < 20; time++) await read();
  await expect(fs.stat("/a/hung")).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
  expect(failures).toHaveLength(21);
  expect(inner.calls).toHaveLength(1);
  expect(new TextDecoder().decode(await fs.read("/a/good"))).toBe("2");
  release();
  await clock.advance(0);
  inner.fault = () => undefined;
  expect(new TextDecoder().decode(await fs.read("/a/hung"))).toBe("1");
});

test("a path that answers late gets a longer time limit", async () => {
  const { clock, fs, inner } = setUp();
  inner.fault = () => new Promise((resolve) => void clock.schedule(18_000, () => resolve(undefined)));
  const lengths: (number | undefined)[] = [];
  for (let time = 0; time < 3; time++) {
    void fs.read("/a/good").then(
      (bytes) => lengths.push(bytes?.length),
      () => lengths.push(undefined),
    );
    await clock.advance(30_000);
  }
  expect(lengths).toEqual([undefined, undefined, 1]);
});

test("the total time stays bounded if very many calls do not answer", async () => {
  const { clock, fs, inner } = setUp();
  inner.fault = () => new Promise(() => undefined);
  const start = clock.now();
  let left = 500;
  const work = async (): Promise<void> => {
    while (left-- > 0) await fs.read(`/a/${left}`).catch(() => undefined);
  };
  const ended: number[] = [];
  for (let worker = 0; worker < 8; worker++) void work().then(() => ended.push(clock.now() - start));
  await clock.advance(60_000);
  expect(ended).toHaveLength(8);
});

test("in a hurry, calls under way are given up too", async () => {
  const { clock, fs } = setUp();
  let code: unknown;
  void fs.read("/a/hung").catch((error: { code: unknown }) => (code = error.code));
  await clock.advance(100);
  fs.hurry(500);
  await clock.advance(500);
  expect(code).toBe("FOLD_TIMEOUT");
});

test("a hurry ends with its calls, or when it is revoked", async () => {
  const { clock, fs, inner } = setUp();
  let answer = (): void => undefined;
  inner.fault = () => new Promise((resolve) => (answer = () => resolve(undefined)));
  const write = fs.write("/a/slow", new Uint8Array());
  fs.hurry(500);
  fs.hurry(Infinity);
  await clock.advance(1_000);
  fs.hurry(500);
  answer();
  await write;
  await clock.advance(0);
  expect(clock.timerCount).toBe(0);
});

/** A drive that stops to answer: every call hangs until `resume`. */
function setUpDrive(maxCalls: number): Bench & { readonly hang: () => void; readonly resume: () => void } {
  const clock = new ManualClock();
  const inner = new FaultyFileSystem(new MemoryFileSystem({ "/a/1": "1", "/a/2": "2", "/a/3": "3", "/a/4": "4", "/a/5": "5" }));
  const waiting: (() => void)[] = [];
  const fs = new TimedFileSystem(withMaxCalls(inner, maxCalls), clock, { root: "/a" });
  const release = (): void => waiting.splice(0).forEach((end) => end());
  const hang = (): void => void (inner.fault = () => new Promise((resolve) => waiting.push(() => resolve(undefined))));
  const resume = (): void => {
    inner.fault = () => undefined;
    release();
  };
  return { clock, inner, fs, release, hang, resume };
}

function withMaxCalls(inner: FaultyFileSystem, maxCalls: number): FaultyFileSystem {
  Object.defineProperty(inner, "supports", { value: { ...inner.supports, maxCalls } });
  return inner;
}

const PATHS = ["/a/1", "/a/2", "/a/3", "/a/4", "/a/5"];

test("a drive that hangs after a pause gets one call and one probe, and no other call until it answers", async () => {
  const { clock, inner, fs, hang, resume } = setUpDrive(3);
  await fs.read("/a/1");
  await clock.advance(2_000);
  hang();
  const before = inner.calls.length;
  const codes: unknown[] = [];
  for (let round = 0; round < 5; round++) {
    const calls = [...PATHS.map((path) => fs.read(path)), fs.append("/a/new", new Uint8Array(1)), fs.list("/a")];
    for (const call of calls) void call.catch((error: unknown) => codes.push((error as { code?: string }).code));
    await clock.advance(40_000);
  }
  expect(inner.calls.length - before).toBe(2);
  expect(codes).toEqual(Array.from({ length: 35 }, () => "FOLD_TIMEOUT"));
  resume();
  await clock.advance(0);
  for (const path of PATHS) expect(await fs.read(path)).toHaveLength(1);
  await fs.append("/a/new", new Uint8Array(1));
  expect(await fs.read("/a/new")).toHaveLength(1);
});

test("a drive that hangs amid many calls gets no more of them than it may", async () => {
  const { clock, inner, fs, hang, resume } = setUpDrive(3);
  await fs.read("/a/1");
  hang();
  const before = inner.calls.length;
  const calls = Promise.allSettled(PATHS.map((path) => fs.read(path)));
  await clock.advance(100_000);
  expect((await calls).map(({ status }) => status)).toEqual(PATHS.map(() => "rejected"));
  expect(inner.calls.length - before).toBeLessThanOrEqual(4);
  resume();
  await clock.advance(0);
  expect(await Promise.all(PATHS.map(async (path) => (await fs.read(path))?.length))).toEqual([1, 1, 1, 1, 1]);
});

test("a single file that does not answer delays the others by its probe only, also if it is a long scan", async () => {
  const { clock, inner, fs } = setUpDrive(3);
  inner.fault = ({ path }) => (path === "/a/1" ? new Promise(() => undefined) : undefined);
  const hung = fs.read("/a/1").catch((error: unknown) => (error as { code?: string }).code);
  const others = PATHS.slice(1).map((path) => fs.read(path));
  await clock.advance(1_100);
  expect((await Promise.all(others)).map((bytes) => bytes?.length)).toEqual([1, 1, 1, 1]);
  await clock.advance(10_000);
  expect(await hung).toBe("FOLD_TIMEOUT");
});

test("calls that wait for a silent drive fail also if a timer runs a little early", async () => {
  const { clock, inner } = setUpDrive(1);
  const early = { now: () => clock.now() - 1, schedule: clock.schedule.bind(clock) };
  const fs = new TimedFileSystem(inner, early, { root: "/a" });
  inner.fault = () => new Promise(() => undefined);
  const codes: unknown[] = [];
  const note = (error: unknown): void => void codes.push((error as { code?: string }).code);
  void fs.read("/a/1").catch(note);
  await clock.advance(1_500);
  void fs.read("/a/2").catch(note);
  await clock.advance(60_000);
  expect(codes).toEqual(["FOLD_TIMEOUT", "FOLD_TIMEOUT"]);
});

test("an answer to any call opens a folder whose probe was never answered", async () => {
  const { clock, inner, fs } = setUpDrive(2);
  const waiting: (() => void)[] = [];
  inner.fault = ({ path }) => new Promise((resolve) => void (path !== "/a" && waiting.push(() => resolve(undefined))));
  void fs.read("/a/1").catch(() => undefined);
  await clock.advance(20_000);
  inner.fault = () => undefined;
  for (const end of waiting) end();
  await clock.advance(1_000);
  expect(await fs.read("/a/2")).toHaveLength(1);
});

test("a caller that no longer waits is released at the gate, too, and a call that throws at once keeps no place", async () => {
  const { clock, inner, fs } = setUpDrive(1);
  inner.fault = () => new Promise(() => undefined);
  void fs.read("/a/1").catch(() => undefined);
  fs.hurry(100);
  let code: unknown;
  void fs.read("/a/2").catch((error: unknown) => (code = (error as { code?: string }).code));
  await clock.advance(200);
  expect(code).toBe("FOLD_TIMEOUT");
  const throwing = setUpDrive(1);
  throwing.inner.stat = () => {
    throw new Error("at once");
  };
  for (let time = 0; time < 3; time++) await expect(throwing.fs.stat("/a/1")).rejects.toThrow("at once");
  expect(await throwing.fs.read("/a/1")).toHaveLength(1);
});
