import { expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { LOST_DIR } from "../../src/log/index.ts";
import { tallyFolder, type OperationTally } from "../../src/maintenance/operation-tally.ts";
import { packFolder, undoPack } from "../../src/maintenance/pack/pack.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const [P, Q] = ["a".repeat(32), "b".repeat(32)] as const;
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const NOW = new Date("2026-11-23T10:15:30Z");
const HOME = "/home";
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const line = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;

type Files = ReadonlyMap<string, string>;

const START: Files = new Map([
  ["space-v1/space.json", JSON.stringify({ id: SPACE_ID })],
  [`${TREE}/2024/05/03/${P}.jsonl`, ROOT],
  [`${TREE}/2025/05/03/${P}.jsonl`, line(3)],
  [`${TREE}/2025/06/03/${P}.jsonl`, line(4) + line(5)],
  [`${TREE}/2025/06/03/${Q}.jsonl`, `garbage\n${line(6)}`],
  [`${TREE}/2026/01/22/${P}.${Q}.jsonl`, line(3)],
]);

function deviceWith(files: Files): MemoryFileSystem {
  return new MemoryFileSystem(Object.fromEntries(Array.from(files, ([path, text]) => [`${HOME}/${path}`, text])));
}

function filesOf(fs: MemoryFileSystem): Map<string, string> {
  return new Map(Object.entries(fs.dump()).map(([path, text]) => [path.slice(HOME.length), text]));
}

async function operationsIn(fs: MemoryFileSystem): Promise<OperationTally> {
  return await tallyFolder(new SpaceFolder(fs, HOME), () => undefined);
}

/** Lets so many calls through, and then none any more, as if the process had been killed there. */
function dyingAfter(inner: MemoryFileSystem, calls: number): FaultyFileSystem {
  const fs = new FaultyFileSystem(inner);
  fs.fault = () => (fs.calls.length > calls ? new FoldspaceError("FOLD_READ_ONLY", "The machine has stopped") : undefined);
  return fs;
}

async function packWhole(deletes: boolean): Promise<Files> {
  const device = deviceWith(START);
  await packFolder(new SpaceFolder(device, HOME), { now: NOW, deletes });
  return new Map([...filesOf(device)].filter(([path]) => !path.startsWith(LOST_DIR)));
}

test.each([false, true])(
  "stopped at any call of the file system, packing loses nothing, and finishes when it is run again (deletes: %s)",
  async (deletes) => {
    const whole = await operationsIn(deviceWith(START));
    const packed = await packWhole(deletes);
    for (let calls = 0; ; calls++) {
      const device = deviceWith(START);
      const options = { now: NOW, deletes };
      const fs = dyingAfter(device, calls);
      const outcome = await packFolder(new SpaceFolder(fs, HOME), options).catch((error: unknown) => error);
      if (fs.calls.length <= calls) {
        expect(calls).toBeGreaterThan(100);
        break;
      }
      // if files cannot be read any more, it leaves them
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "FOLD_READ_ONLY" });
      expect((await operationsIn(device)).findLacking(whole)).toBeUndefined();
      await packFolder(new SpaceFolder(device, HOME), { ...options, now: new Date(NOW.getTime() + 1_000) });
      const files = filesOf(device);
      expect(new Map([...files].filter(([path]) => !path.startsWith(LOST_DIR)))).toEqual(packed);
      if (deletes) continue;
      const all = [...files.values()];
      for (const text of START.values()) expect(all).toContain(text);
    }
  },
);

test("undoing, stopped at any call of the file system, finishes when it is run again", async () => {
  for (let calls = 0; ; calls++) {
    const device = deviceWith(START);
    await packFolder(new SpaceFolder(device, HOME), { now: NOW });
    const fs = dyingAfter(device, calls);
    await undoPack(new SpaceFolder(fs, HOME)).catch((error: unknown) => expect(error).toMatchObject({ code: "FOLD_READ_ONLY" }));
    if (fs.calls.length <= calls) break;
    await undoPack(new SpaceFolder(device, HOME)).catch((error: unknown) =>
      expect(error).toMatchObject({ code: "FOLD_NOT_FOUND" }),
    );
    const files = filesOf(device);
    for (const [path, text] of START) expect(files.get(path), `${calls} calls`).toBe(text);
  }
});
