import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foldspace, spaceWith, temporaryFolder, LOG_FILE } from "./cli-harness.ts";

function logs(space: string): string[] {
  const names = readdirSync(join(space, "space-v1", "ops"), { recursive: true, encoding: "utf8" });
  return names
    .map((name) => `space-v1/ops/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".jsonl") && name !== LOG_FILE);
}

test("twenty runs of the command write one file, and the app's view has everything", async () => {
  const [space, state] = [spaceWith(), temporaryFolder()];
  const ids = new Set<string>();
  for (let run = 0; run < 20; run++) {
    const { code, stdout, stderr } = await foldspace(["add", space, "--name", `item ${run}`], {
      variables: { XDG_STATE_HOME: state },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    ids.add(stdout.trim());
  }
  expect(ids.size).toBe(20);
  expect(logs(space)).toHaveLength(1);
  const { stdout } = await foldspace(["tree", space]);
  expect(stdout.match(/item \d+/g)).toHaveLength(20);
  const { code } = await foldspace(["verify", space]);
  expect(code).toBe(0);
});

test("runs of two users, and of one without a folder for state, are peers of their own", async () => {
  const space = spaceWith();
  for (const variables of [{ XDG_STATE_HOME: temporaryFolder() }, { XDG_STATE_HOME: temporaryFolder() }, {}, {}])
    await foldspace(["add", space, "--name", "item"], { variables });
  expect(logs(space)).toHaveLength(4);
});

test("where nothing can be written for the user, the command works all the same, and says nothing", async () => {
  const [space, folder] = [spaceWith(), temporaryFolder()];
  const file = join(folder, "file");
  writeFileSync(file, "");
  const result = await foldspace(["add", space, "--name", "item"], { variables: { XDG_STATE_HOME: file } });
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
});

test("commands that only read take no peer, and leave nothing in the space's folder", async () => {
  const [space, state] = [spaceWith(), temporaryFolder()];
  const before = statSync(join(space, LOG_FILE)).mtimeMs;
  for (const command of ["tree", "info", "verify", "log"])
    await foldspace([command, space], { variables: { XDG_STATE_HOME: state } });
  expect(readdirSync(state)).toEqual([]);
  expect(statSync(join(space, LOG_FILE)).mtimeMs).toBe(before);
});
