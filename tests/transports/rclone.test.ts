import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { foldspace } from "../scenarios/cli-harness.ts";
import { describeWith } from "./programs.ts";
import { runWell } from "./run.ts";
import { RcloneBisync } from "./rclone.ts";
import { testTransport } from "./transport-suite.ts";

describeWith("rclone", "rclone bisync", () => {
  const traits = { copies: /^\{peer\}\.jsonl\.\.path[12]$/, keepsBothSecrets: true, secretsCopies: /\/secrets\.\.path[12]$/ };
  testTransport("rclone bisync", traits, (site) => new RcloneBisync(site));

  test("carries neither temporary files nor its own settings with the filters of `foldspace init`", async () => {
    const root = mkdtempSync(join(tmpdir(), "foldspace-rclone-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const [one, two] = [join(root, "one"), join(root, "two")];
    mkdirSync(two);
    expect((await foldspace(["init", one, "--rclone"])).code).toBe(0);
    for (const name of [".0123.tmp", "~0123.tmp", "0123.crswap"]) writeFileSync(join(one, "space-v1", name), "");
    const settings = ["--filters-file", join(one, ".rclone-filters"), "--workdir", join(root, "bisync")];
    for (const more of [["--resync"], []]) await runWell("rclone", ["bisync", one, two, ...settings, ...more], { home: root });
    expect(readdirSync(two).sort()).toEqual(["space-v1", "supa.md"]);
    expect(readdirSync(join(two, "space-v1")).sort()).toEqual(["ops", "space.json"]);
    expect(existsSync(join(one, "space-v1/.0123.tmp"))).toBe(true);
  });
});
