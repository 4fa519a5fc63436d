import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { foldspace } from "../scenarios/cli-harness.ts";
import { describeWith } from "./programs.ts";
import { Syncthing } from "./syncthing.ts";
import { testTransport } from "./transport-suite.ts";

/** The shortest it can, so that tests need not wait. */
const GATHER_S = 1;

describeWith("syncthing", "Syncthing", () => {
  const traits = {
    copies: /^\{peer\}\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}\.jsonl$/,
    keepsBothSecrets: true,
    secretsCopies: /\/secrets\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}$/,
  };
  testTransport("Syncthing", traits, (site) => Syncthing.start(site, GATHER_S));

  test("carries no temporary file with the ignore file of `foldspace init`", async () => {
    const root = mkdtempSync(join(tmpdir(), "foldspace-syncthing-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const site = { root, one: join(root, "one"), two: join(root, "two") };
    expect((await foldspace(["init", site.one, "--syncthing"])).code).toBe(0);
    const temporary = [".0123.tmp", "~0123.tmp", "0123.crswap"].map((name) => `space-v1/${name}`);
    for (const file of temporary) writeFileSync(join(site.one, file), "");
    const syncthing = await Syncthing.start(site, GATHER_S);
    onTestFinished(() => syncthing.end());
    await syncthing.join();
    await expect.poll(() => existsSync(join(site.two, "space-v1/space.json")), { timeout: 30_000 }).toBe(true);
    await syncthing.part();
    for (const file of temporary) expect([file, existsSync(join(site.two, file))]).toEqual([file, false]);
    expect(existsSync(join(site.two, "supa.md"))).toBe(true);
  });
});
