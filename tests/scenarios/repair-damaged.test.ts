import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { encodeLine, logFilePath } from "../../src/log/index.ts";
import { COPY_NAMES } from "../../src/testing/copy-names.ts";
import { damageFile, DAMAGES } from "../../src/testing/damage.ts";
import { Random } from "../../src/testing/random.ts";
import { ReplicatedTree } from "../../src/tree/index.ts";
import { foldspace, jsonLines, SPACE_ID, spaceWith } from "./cli-harness.ts";

const SEEDS = 12;

interface Messy {
  readonly path: string;
  /** One of the peers. */
  readonly peerId: string;
  /** What was done to it, in words. */
  readonly history: readonly string[];
}

/** A space by several peers with each damage done to some file, copies of every name, and what does not belong there. */
async function makeMessySpace(seed: number): Promise<Messy> {
  const random = new Random(seed);
  const files: Record<string, string> = {};
  const first = new ReplicatedTree(random.hex(32));
  first.createRoot(SPACE_ID);
  const peers = Array.from({ length: 6 }, () => new ReplicatedTree(random.hex(32), first.getAllOps()));
  for (const tree of [first, ...peers]) {
    for (let day = 1; day <= 4; day++) {
      for (let edit = 0; edit < 15; edit++) tree.root!.newNamedChild(`vertex ${random.hex(6)}`, { text: "é\u2028" });
      const lines = tree.popLocalOps().map((op) => `${encodeLine(op)}\n`);
      const half = Math.floor(lines.length / 2);
      const date = new Date(Date.UTC(2026, 10, day));
      files[logFilePath(SPACE_ID, tree.peerId, tree.peerId, date)] = lines.slice(0, half).join("");
      files[logFilePath(SPACE_ID, tree.peerId, random.hex(32), date)] = lines.slice(half).join("");
    }
  }
  const paths = random.shuffle(Object.keys(files));
  const day = paths[0]!.slice(0, paths[0]!.lastIndexOf("/"));
  for (const [, name] of random.shuffle(COPY_NAMES).slice(0, 6)) {
    const original = random.pick(paths);
    const stem = original.slice(original.lastIndexOf("/") + 1).replace(/\.jsonl$/, "");
    files[`${day} 2/${name.replace("B", () => stem)}`] = files[original]! + encodeLine(first.getAllOps()[0]!);
  }
  files[`${day}/notes from Ann.txt`] = "hello";
  files[`${day}/\u001b[31mred.jsonl`] = "no log";
  const path = spaceWith(files);
  const fs = new NodeFileSystem({ io: "sync" });
  const history: string[] = [];
  for (const damage of DAMAGES) {
    const done = await damageFile(fs, join(path, paths.pop()!), damage, random);
    if (done !== undefined) history.push(done);
  }
  return { path, peerId: random.pick(peers).peerId, history };
}

function bytesOf(path: string): Record<string, string> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(files.sort().map((file) => [file.slice(path.length), readFileSync(file, "latin1")]));
}

/** What a repair did or would do, without what differs from one to the next: its name, and those of the relay files that it writes. */
async function repairWith(path: string, ...options: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await foldspace(["repair", path, "--json", ...options]);
  const anonymous = stdout
    .replaceAll(/repair-[\dTZ-]+-[0-9a-f]{8}/g, "repair-X")
    .replaceAll(/\.[0-9a-f]{32}\.jsonl","operations"/g, '.X.jsonl","operations"');
  return jsonLines(anonymous)[0]!;
}

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  "with damage of every kind, a dry run says what a run then does, and undoing gives back every byte (seed %i)",
  async (seed) => {
    const { path, peerId, history } = await makeMessySpace(seed);
    const before = bytesOf(path);
    const exported = (await foldspace(["export", path, "--format", "json"])).stdout;
    const verified = await foldspace(["verify", path]);
    expect(verified.code, history.join("\n")).toBe(1);
    const options = ["--own", peerId];
    const planned = await repairWith(path, "--dry-run", ...options);
    expect(bytesOf(path)).toEqual(before);
    const repaired = await repairWith(path, ...options);
    expect(repaired).toEqual({ ...planned, id: "repair-X", isDryRun: false });
    expect((await foldspace(["export", path, "--format", "json"])).stdout).toBe(exported);
    // what is left is just what verify still finds
    const [{ left }] = jsonLines((await foldspace(["repair", path, "--dry-run", "--json", ...options])).stdout) as [
      { left: unknown[]; steps: unknown[] },
    ];
    const found = jsonLines((await foldspace(["verify", path, "--json"])).stdout);
    expect(left).toEqual(found);
    expect((await foldspace(["repair", path, ...options])).stderr).toMatch(/^Nothing that this command can repair: /);

    expect(await foldspace(["repair", path, "--undo"])).toMatchObject({ code: 0 });
    const after = Object.entries(bytesOf(path)).filter(([file]) => !file.includes("lost+found"));
    expect(Object.fromEntries(after)).toEqual(before);
    expect((await foldspace(["verify", path])).stdout).toBe(verified.stdout);
  },
);
