import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FilePeerPool } from "../../src/peers/node/file-peer-pool.ts";
import { isRunning, newOwner } from "../../src/peers/node/process-identity.ts";
import { stateFolder } from "../../src/peers/node/state-folder.ts";
import { testPeerPool } from "../../src/testing/peer-pool-suite.ts";
import { PoolProgram, type RemotePool } from "./remote-pool.ts";

const program = new PoolProgram();
beforeAll(async () => await program.build());
afterAll(() => program.remove());

testPeerPool("FilePeerPool, in processes that are killed", () => {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-peers-"));
  const pools: RemotePool[] = [];
  return {
    createPool: () => {
      const pool = program.start(folder);
      pools.push(pool);
      return pool;
    },
    kill: async (pool) => await (pool as RemotePool).kill(),
    tearDown: async () => {
      for (const pool of pools) await pool.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

describe("FilePeerPool", () => {
  test("its files are readable by their user alone", async () => {
    const { folder, pool } = ofOneProcess();
    await pool.lease("space");
    for (const path of ["", ...readdirSync(join(folder, "peers"), { recursive: true, encoding: "utf8" })]) {
      const stat = statSync(join(folder, "peers", path));
      if (process.platform !== "win32") expect(stat.mode & 0o077).toBe(0);
    }
    expect(records(folder)).toHaveLength(1);
  });

  test("a counter is reserved on the disk when the call returns", async () => {
    const { folder, pool } = ofOneProcess();
    const lease = await pool.lease("space");
    void lease.reserve(123_456);
    expect(lease.reservedUpTo).toBe(123_456);
    expect(records(folder)[0]).toContain(lease.peerId);
  });

  test("the peer that was used last is given first", async () => {
    const { pool } = ofOneProcess();
    const [one, other] = [await pool.lease("space"), await pool.lease("space")];
    await other.reserve(10);
    await other.release(5);
    await one.reserve(10);
    await one.release(5);
    expect((await pool.lease("space")).peerId).toBe(one.peerId);
  });

  test("a record that was put back from a copy is retired, and the counters of its peer are not used again", async () => {
    const { folder, pool } = ofOneProcess();
    const first = await pool.lease("space");
    await first.reserve(100);
    await first.release(50);
    const [record] = records(folder);
    copyFileSync(join(folder, record!), join(folder, "backup"));
    rmSync(join(folder, record!));
    copyFileSync(join(folder, "backup"), join(folder, record!));
    const second = await pool.lease("space");
    expect(second.peerId).not.toBe(first.peerId);
    await second.release(0);
    expect(records(folder).some((path) => path.includes(first.peerId))).toBe(false);
  });

  test("a copied folder gives none of the original's peers, while the original keeps them", async () => {
    const { folder, pool } = ofOneProcess();
    const first = await pool.lease("space");
    await first.release(0);
    const copy = join(folder, "copied home");
    cpSync(join(folder, "peers"), join(copy, "peers"), { recursive: true, preserveTimestamps: true });
    expect((await new FilePeerPool(copy).lease("space")).peerId).not.toBe(first.peerId);
    expect((await pool.lease("space")).peerId).toBe(first.peerId);
  });

  test("a damaged record is retired", async () => {
    const { folder, pool } = ofOneProcess();
    for (const damage of ["", "12", `999 ${"0".repeat(64)}`, "\0".repeat(128), "x".repeat(4_096)]) {
      const lease = await pool.lease("space");
      await lease.release(0);
      writeFileSync(join(folder, records(folder)[0]!), damage);
      const next = await pool.lease("space");
      expect(next.peerId).not.toBe(lease.peerId);
      await next.retire();
    }
  });

  test("a record that is gone while its peer is leased takes no more reservations", async () => {
    const { folder, pool } = ofOneProcess();
    const lease = await pool.lease("space");
    await lease.reserve(10);
    rmSync(join(folder, "peers"), { recursive: true });
    await expect(lease.reserve(20)).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
    expect(lease.reservedUpTo).toBe(10);
  });

  test("another machine that sees the same files has peers of its own", async () => {
    const { folder, pool } = ofOneProcess();
    const lease = await pool.lease("space");
    await lease.release(0);
    const [machine] = readdirSync(join(folder, "peers"));
    cpSync(join(folder, "peers", machine!), join(folder, "peers", "f".repeat(32)), { recursive: true });
    const other = await pool.lease("space");
    expect(other.peerId).toBe(lease.peerId);
    expect(readdirSync(join(folder, "peers"))).toHaveLength(2);
  });

  test("files of other programs and of later versions are left alone", async () => {
    const { folder, pool } = ofOneProcess();
    const lease = await pool.lease("space");
    await lease.release(0);
    const place = join(folder, records(folder)[0]!, "..");
    const others = ["notes.txt", ".DS_Store", `${"a".repeat(32)}.later-version`];
    for (const name of others) writeFileSync(join(place, name), "");
    await pool.lease("space");
    await pool.lease("space");
    for (const name of others) expect(readdirSync(place)).toContain(name);
  });

  test("a folder that cannot be made is an error, which names it", async () => {
    const { folder } = ofOneProcess();
    writeFileSync(join(folder, "file"), "");
    const pool = new FilePeerPool(join(folder, "file", "below"));
    await expect(pool.lease("space")).rejects.toMatchObject({
      code: "FOLD_PERMISSION",
      message: expect.stringContaining("file/below") as string,
    });
  });

  test("the peers of spaces that nobody has opened for half a year are forgotten, and no others", async () => {
    const { folder, pool } = ofOneProcess();
    for (const space of ["old", "recent"]) await (await pool.lease(space)).release(0);
    const [machine] = readdirSync(join(folder, "peers"));
    const [old, recent] = records(folder).map((path) => dirname(path));
    const longAgo = new Date(Date.now() - 200 * 86_400_000);
    utimesSync(join(folder, old!), longAgo, longAgo);
    await pool.lease("new");
    const left = readdirSync(join(folder, "peers", machine!)).map((name) => join("peers", machine!, name));
    expect(left).toHaveLength(2);
    expect(left).toContain(recent);
    expect(left).not.toContain(old);
  });

  test("no more than 64 peers of a space are kept", async () => {
    const { pool } = ofOneProcess();
    for (let count = 0; count < 64; count++) await pool.lease("space");
    await expect(pool.lease("space")).rejects.toMatchObject({ code: "FOLD_IN_USE" });
    await pool.lease("another space");
  });
});

test("an owner is running as long as a process with its id and its start is", () => {
  const own = newOwner();
  expect(isRunning(own)).toBe(true);
  expect(newOwner()).not.toBe(own);
  // 2^30 is above the highest process id of any system
  expect(isRunning(own.replace(/^\d+/, "1073741824"))).toBe(false);
  expect(isRunning("an owner of a later version")).toBe(true);
  if (process.platform === "linux") expect(isRunning(own.replace(/-\d+-/, "-1-"))).toBe(false);
});

test.each([
  ["linux", { XDG_STATE_HOME: "/state", HOME: "/home/me" }, "/state/foldspace"],
  ["linux", { XDG_STATE_HOME: "relative", HOME: "/home/me" }, "/home/me/.local/state/foldspace"],
  ["linux", { XDG_STATE_HOME: "", HOME: "/home/me" }, "/home/me/.local/state/foldspace"],
  ["darwin", { HOME: "/Users/me" }, "/Users/me/Library/Application Support/foldspace"],
  ["linux", {}, undefined],
  ["win32", { HOME: "/c/me" }, undefined],
] as const)("state of a user on %s with %o is in %s", (platform, variables, expected) => {
  expect(stateFolder(variables, platform)?.replaceAll("\\", "/")).toBe(expected);
});

function ofOneProcess(): { readonly folder: string; readonly pool: FilePeerPool } {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-peers-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  return { folder, pool: new FilePeerPool(folder) };
}

/** Paths of the records, relative to the folder. */
function records(folder: string): string[] {
  const paths = readdirSync(join(folder, "peers"), { recursive: true, encoding: "utf8" });
  return paths.filter((path) => /\.[0-9a-z-]+$/.test(path)).map((path) => join("peers", path));
}
