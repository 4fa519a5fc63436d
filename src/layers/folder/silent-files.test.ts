import { afterEach, expect, test } from "vitest";
import { FoldspaceError } from "../../errors.ts";
import type { FileSystemCall } from "../../testing/faulty-file-system.ts";
import { countersOf, dayOf, FOLDER_DAY, FOLDER_SPACE, FolderBench, lines } from "../../testing/folder-bench.ts";

const TREE = "7".repeat(32);
const HUNG = `${FOLDER_DAY}/hung.jsonl`;
const FILES = {
  [`${FOLDER_DAY}/good.jsonl`]: lines(1, 2),
  [HUNG]: lines(3),
  [`${dayOf(TREE)}/other.jsonl`]: lines(4),
};

let bench: FolderBench;
let release: (() => void)[] = [];
afterEach(async () => {
  await bench.settle(bench.layer.disconnect());
});

/** Matching calls do not answer until they are released. */
function hang(fits: (call: FileSystemCall) => boolean): void {
  release = [];
  bench.fs.fault = (call) => (fits(call) ? new Promise((resolve) => release.push(() => resolve(undefined))) : undefined);
}

function heal(): void {
  bench.fs.fault = () => undefined;
  for (const end of release.splice(0)) end();
}

test("a file that does not answer holds up neither the other files of its tree, nor other trees, nor listening, nor the end", async () => {
  bench = new FolderBench(FILES);
  hang(({ action, path }) => action === "read" && path.endsWith("hung.jsonl"));
  await bench.layer.connect({ peerId: "writer" });
  const loading = bench.layer.loadTreeOps(FOLDER_SPACE);
  expect(countersOf(await bench.layer.loadTreeOps(TREE))).toEqual([4]);
  expect(countersOf(await bench.settle(loading))).toEqual([1, 2]);
  expect(bench.layer.problems).toMatchObject([{ code: "FOLD_TIMEOUT", file: HUNG, treeId: FOLDER_SPACE }]);
  await bench.settle(bench.layer.startListening((change) => void bench.changes.push(change)));
  await bench.append(`${dayOf(TREE)}/other.jsonl`, lines(5));
  await bench.append(`${FOLDER_DAY}/good.jsonl`, lines(6));
  await bench.clock.advance(100);
  expect([bench.heard(TREE), bench.heard(FOLDER_SPACE)]).toEqual([[5], [6]]);
});

test("while a file does not answer it is asked for once, and what it holds is given when it does, by itself", async () => {
  bench = new FolderBench(FILES, { rescanIntervalMs: Infinity });
  hang(({ action, path }) => action === "read" && path.endsWith("hung.jsonl"));
  await bench.layer.connect({ peerId: "writer" });
  await bench.settle(bench.layer.loadTreeOps(FOLDER_SPACE));
  await bench.settle(bench.layer.startListening((change) => void bench.changes.push(change)));
  for (let time = 0; time < 10; time++) {
    await bench.settle(bench.layer.rescan());
    await bench.clock.advance(60_000);
  }
  expect(bench.fs.pathsOf("read").filter((path) => path.endsWith("hung.jsonl"))).toHaveLength(1);
  heal();
  await bench.clock.advance(61_000);
  expect(bench.heard(FOLDER_SPACE)).toEqual([3]);
  expect(bench.layer.problems).toEqual([]);
});

for (const isListening of [false, true]) {
  test(`a tree whose only file did not answer is read by the next load after the answer, ${isListening ? "with" : "without"} a listener`, async () => {
    bench = new FolderBench(FILES, { rescanIntervalMs: Infinity });
    await (isListening ? bench.listen() : bench.layer.connect({ peerId: "writer" }));
    hang(({ action, path }) => action === "read" && path.endsWith("other.jsonl"));
    await expect(bench.settle(bench.layer.loadTreeOps(TREE))).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
    await expect(bench.settle(bench.layer.loadTreeOps(TREE))).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
    expect(bench.fs.pathsOf("read").filter((path) => path.endsWith("other.jsonl"))).toHaveLength(1);
    heal();
    expect(countersOf(await bench.settle(bench.layer.loadTreeOps(TREE)))).toEqual([4]);
    expect(bench.layer.problems).toEqual([]);
  });
}

test("a folder that does not answer, whole or in a scan, costs only itself", async () => {
  bench = new FolderBench({ ...FILES, [`${dayOf("8".repeat(32))}/x.jsonl`]: lines(9) });
  hang(({ action, path }) => action === "scan" || (action === "list" && path.includes("/88")));
  await bench.layer.connect({ peerId: "writer" });
  expect(countersOf(await bench.settle(bench.layer.loadTreeOps(FOLDER_SPACE)))).toEqual([1, 2, 3]);
  await bench.settle(bench.layer.startListening((change) => void bench.changes.push(change)));
  expect(bench.layer.problems).toMatchObject([{ code: "FOLD_TIMEOUT", file: "space-v1/ops/88" }]);
  await bench.append(`${FOLDER_DAY}/good.jsonl`, lines(7));
  await bench.settle(bench.layer.rescan());
  expect(bench.heard(FOLDER_SPACE)).toEqual([7]);
  heal();
  await bench.settle(bench.layer.rescan());
  expect(bench.layer.problems).toEqual([]);
});

test("a save of which nothing is heard holds up no other, and the end comes all the same", async () => {
  bench = new FolderBench();
  await bench.listen(FOLDER_SPACE);
  hang(({ action, path }) => action === "append" && path.endsWith("/one.writer.jsonl"));
  const states: string[] = [];
  for (const peerId of ["one", "two"]) {
    const op = { id: { counter: 1, peerId }, targetId: "a", key: "k", value: 1, transient: false };
    void bench.layer.saveTreeOps(FOLDER_SPACE, [op]).then(
      () => states.push(peerId),
      (error: FoldspaceError) => states.push(error.code),
    );
  }
  await bench.clock.advance(20_000);
  expect(states).toEqual(["two"]);
  expect(bench.layer.status).toMatchObject({ state: "degraded", pendingOps: 1, error: { code: "FOLD_TIMEOUT" } });
  await bench.settle(bench.layer.disconnect());
  expect(states).toEqual(["two", "FOLD_NOT_DURABLE"]);
});

test("a tree that cannot be read is refused at little cost, costs no other tree a reading, and is read when it can be", async () => {
  const bad = "8".repeat(32);
  bench = new FolderBench({ ...FILES, [`${dayOf(bad)}/x.jsonl`]: lines(9) });
  await bench.listen(FOLDER_SPACE, TREE);
  await bench.clock.advance(60_000);
  const denied = new FoldspaceError("FOLD_PERMISSION", "permission denied");
  bench.fs.fault = ({ action, path }) =>
    ["list", "read"].includes(action) && path.includes(`/88/${bad.slice(2)}`) ? denied : undefined;
  bench.fs.bytesRead = 0;
  bench.fs.calls.length = 0;
  await expect(bench.layer.loadTreeOps(bad)).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
  expect(bench.fs.calls.length).toBeLessThan(20);
  await bench.clock.advance(600_000);
  expect(bench.fs.bytesRead).toBe(0);
  bench.fs.fault = () => undefined;
  expect(countersOf(await bench.layer.loadTreeOps(bad))).toEqual([9]);
});

test("a tree whose only file cannot be read is refused, and not taken for an empty one", async () => {
  bench = new FolderBench({ [`${dayOf(TREE)}/x.jsonl`]: lines(9) });
  await bench.listen();
  bench.fs.fault = ({ action, path }) =>
    action === "read" && path.endsWith("x.jsonl") ? new FoldspaceError("FOLD_IO", "bad sector") : undefined;
  await expect(bench.layer.loadTreeOps(TREE)).rejects.toMatchObject({ code: "FOLD_IO" });
  expect(bench.layer.problems).toMatchObject([{ code: "FOLD_IO", file: `${dayOf(TREE)}/x.jsonl` }]);
});

test("a line that arrives for a followed tree of 100,000 operations is read with little of the file before it", async () => {
  const many = Array.from({ length: 100_000 }, (_, index) => index + 1);
  bench = new FolderBench({ [`${dayOf(TREE)}/big.jsonl`]: lines(...many) });
  await bench.listen(TREE);
  bench.fs.bytesRead = 0;
  await bench.append(`${dayOf(TREE)}/big.jsonl`, lines(100_001));
  await bench.layer.rescanTree(TREE);
  expect(bench.heard(TREE)).toEqual([100_001]);
  expect(bench.fs.bytesRead).toBeLessThan(2_000);
});
