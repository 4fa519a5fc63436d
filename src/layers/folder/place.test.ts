import { afterEach, expect, test } from "vitest";
import { countersOf, FOLDER_DAY, FOLDER_SPACE, FolderBench, lines } from "../../testing/folder-bench.ts";
import type { FileSystemCall } from "../../testing/faulty-file-system.ts";
import { TestPeer } from "../../testing/layer-bench.ts";
import { outcome } from "../../testing/batcher-bench.ts";

const OTHER_SPACE = "6".repeat(32);
const peer = new TestPeer("writer");

let bench: FolderBench;
afterEach(async () => {
  await bench.settle(bench.layer.disconnect());
});

/** Puts another space's folder in the place of the one that is there. */
async function swap({ memory }: FolderBench): Promise<void> {
  await memory.write("/other/space-v1/space.json", new TextEncoder().encode(`{"id":"${OTHER_SPACE}"}`));
  await memory.rename("/space", "/elsewhere");
  await memory.rename("/other", "/space");
}

async function swapBack({ memory }: FolderBench): Promise<void> {
  await memory.rename("/space", "/other");
  await memory.rename("/elsewhere", "/space");
}

test("nothing is written into another space's folder, and what waits is saved when the right one is back", async () => {
  bench = new FolderBench();
  await bench.listen(FOLDER_SPACE);
  await bench.settle(Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(1)]), bench.layer.flush()]));
  await swap(bench);
  const before = bench.memory.dump();
  const saved = outcome(bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(2)]));
  await expect(bench.layer.flush()).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect(bench.layer.status).toMatchObject({ state: "degraded", pendingOps: 1, error: { code: "FOLD_SPACE_MISMATCH" } });
  expect(bench.layer.problems).toMatchObject([{ code: "FOLD_SPACE_MISMATCH" }]);
  await bench.clock.advance(120_000);
  expect([bench.memory.dump(), saved.state]).toEqual([before, "pending"]);

  await swapBack(bench);
  await bench.clock.advance(31_000);
  expect(saved.state).toBe("resolved");
  expect(bench.layer.status).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
  expect(bench.layer.problems).toEqual([]);
});

test("nothing is written into another space's folder that comes while an append waits for the disk", async () => {
  bench = new FolderBench();
  await bench.listen(FOLDER_SPACE);
  await bench.settle(Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(1)]), bench.layer.flush()]));
  bench.fs.fault = async ({ action }) => {
    if (action !== "append") return undefined;
    bench.fs.fault = () => undefined;
    await swap(bench);
    return undefined;
  };
  const saved = outcome(bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(2)]));
  await expect(bench.layer.flush()).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect(await bench.memory.list("/space/space-v1")).toMatchObject([{ name: "space.json" }]);
  await swapBack(bench);
  await bench.clock.advance(31_000);
  expect(saved.state).toBe("resolved");
});

test("nothing is written into another space's folder that comes while a save waits for the disk", async () => {
  bench = new FolderBench();
  await bench.listen(FOLDER_SPACE);
  await bench.settle(Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(3)]), bench.layer.flush()]));
  const isOfLog = ({ action, path }: FileSystemCall): boolean => action === "stat" && path.endsWith(".jsonl");
  let answer: (() => void) | undefined;
  bench.fs.fault = (call) => (isOfLog(call) ? new Promise((resolve) => (answer = () => resolve(undefined))) : undefined);
  const saved = outcome(bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(4)]));
  void bench.layer.flush().catch(() => undefined);
  await bench.clock.advance(1_000);
  await swap(bench);
  // what the disk answers late is about the folder that was there
  const log = Object.keys(bench.memory.dump()).find((path) => path.endsWith(".jsonl"))!;
  await bench.memory.write(`/${log.replace("elsewhere", "space")}`, (await bench.memory.read(`/${log}`))!);
  const before = bench.memory.dump();
  bench.fs.fault = () => undefined;
  expect(answer).toBeDefined();
  answer!();
  await bench.clock.advance(5_000);
  expect([bench.memory.dump(), saved.state]).toEqual([before, "pending"]);
  expect(bench.layer.status).toMatchObject({ state: "degraded", error: { code: "FOLD_SPACE_MISMATCH" } });
});

test("a rescan that finds another space's folder reports it at once, though no operations wait to be saved", async () => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1) });
  await bench.listen(FOLDER_SPACE);
  await swap(bench);
  await bench.layer.rescan();
  expect(bench.layer.status).toMatchObject({ state: "degraded", error: { code: "FOLD_SPACE_MISMATCH" } });
  expect(bench.layer.problems).toMatchObject([{ code: "FOLD_SPACE_MISMATCH" }]);
  for (const load of [bench.layer.listTrees(), bench.layer.loadTreeOps(FOLDER_SPACE), bench.layer.rescanTree(FOLDER_SPACE)])
    await expect(load).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect(bench.heard(FOLDER_SPACE)).toEqual([]);
});

test("files that are missing in a lost or another space's folder do not count as missing", async () => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1, 2) });
  await bench.listen(FOLDER_SPACE);
  for (const leave of [swap, async () => bench.memory.rename("/space", "/elsewhere")]) {
    await leave(bench);
    for (let time = 0; time < 10; time++) {
      await bench.layer.rescan();
      await bench.clock.advance(10_000);
    }
    await bench.memory.rename("/space", "/other").catch(() => undefined);
    await bench.memory.rename("/elsewhere", "/space");
    await bench.clock.advance(40_000);
  }
  expect(bench.changes).toEqual([]);
  await bench.append(`${FOLDER_DAY}/a.jsonl`, lines(3));
  await bench.layer.rescan();
  expect(bench.heard(FOLDER_SPACE)).toEqual([3]);
});

test("pending reports of losses wait until the folder is back", async () => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1, 2) });
  await bench.listen(FOLDER_SPACE);
  await bench.memory.write(`/space/${FOLDER_DAY}/a.jsonl`, new TextEncoder().encode(lines(1)));
  await bench.layer.rescan();
  await swap(bench);
  await bench.clock.advance(60_000);
  expect(bench.changes.filter((change) => change.isLossy)).toEqual([]);
  await swapBack(bench);
  await bench.clock.advance(60_000);
  expect(bench.changes.filter((change) => change.isLossy)).toMatchObject([{ treeId: FOLDER_SPACE }]);
});

test.each([
  ["between the proof and the append", "append"],
  ["while it is scanned", "scan"],
])("a folder that is swapped %s is noticed and reported", async (_when, action) => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1) });
  await bench.listen(FOLDER_SPACE);
  let isSwapped = false;
  bench.fs.fault = async (call) => {
    if (call.action === action && !isSwapped) {
      isSwapped = true;
      await swap(bench);
    }
    return undefined;
  };
  if (action === "scan") await bench.layer.rescan();
  else {
    void bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(1)]).catch(() => undefined);
    await expect(bench.layer.flush()).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  }
  expect(bench.layer.status).toMatchObject({ state: "degraded", error: { code: "FOLD_SPACE_MISMATCH" } });
  expect(bench.changes).toEqual([]);
});

test("files listed in another space's folder are not read, even if the right one is back afterwards", async () => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1) });
  await bench.listen(FOLDER_SPACE);
  await bench
    .append(`${FOLDER_DAY}/b.jsonl`, lines(2))
    .then(() => bench.memory.rename(`/space/${FOLDER_DAY}/b.jsonl`, "/b.jsonl"));
  await bench.memory.makeDirectory(`/other/${FOLDER_DAY}`);
  await bench.memory.rename("/b.jsonl", `/other/${FOLDER_DAY}/b.jsonl`);
  const seen: string[] = [];
  bench.fs.fault = async ({ action }) => {
    if (action === "scan" && !seen.includes("scan")) await swap(bench);
    if (action === "realPath" && seen.at(-1) === "read") await swapBack(bench);
    seen.push(action);
    return undefined;
  };
  await expect(bench.layer.rescanTree(FOLDER_SPACE)).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect(bench.heard(FOLDER_SPACE)).toEqual([]);
});

test("space.json is read again only when its signature has changed", async () => {
  bench = new FolderBench();
  await bench.listen(FOLDER_SPACE);
  const readsOfSpaceFile = (): number => bench.fs.pathsOf("read").filter((path) => path.endsWith("space.json")).length;
  await bench.layer.rescan();
  const before = readsOfSpaceFile();
  for (let time = 0; time < 20; time++) {
    await Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(time)]), bench.layer.flush()]);
    await bench.layer.rescan();
  }
  expect(readsOfSpaceFile()).toBe(before);
  await bench.memory.write("/space/space-v1/space.json", new TextEncoder().encode(`{"id":"${FOLDER_SPACE}","color":"red"}`));
  await bench.layer.rescan();
  expect(readsOfSpaceFile()).toBe(before + 1);
  expect(countersOf(await bench.layer.loadTreeOps(FOLDER_SPACE))).toHaveLength(20);
});

test("many relay files of one flush need no listing of the folder that they are in", async () => {
  bench = new FolderBench();
  await bench.listen();
  const ops = Array.from({ length: 300 }, (_, index) => new TestPeer(`peer-${index}`).set(index));
  bench.fs.calls.length = 0;
  await bench.settle(Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, ops), bench.layer.flush()]));
  expect(bench.fs.pathsOf("append")).toHaveLength(300);
  expect(bench.fs.pathsOf("list").length).toBeLessThan(30);
  // each file needs two proofs of the place, which files that are written at once share
  expect(bench.fs.pathsOf("identify").length).toBeLessThan(400);
});

test("nothing is left to run when the layer has been disconnected, whatever state it was in", async () => {
  bench = new FolderBench({ [`${FOLDER_DAY}/a.jsonl`]: lines(1) });
  await bench.listen(FOLDER_SPACE);
  await Promise.all([bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(1)]), bench.layer.flush()]);
  await bench.settle(bench.layer.disconnect());
  expect(bench.clock.timerCount).toBe(0);

  await bench.listen(FOLDER_SPACE);
  await swap(bench);
  void bench.layer.saveTreeOps(FOLDER_SPACE, [peer.set(2)]).catch(() => undefined);
  await bench.layer.rescan();
  await bench.settle(bench.layer.disconnect());
  expect(bench.clock.timerCount).toBe(0);
});
