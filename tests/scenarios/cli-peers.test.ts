import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foldspace, LOG_FILE, PEER_ID, SPACE_ID, spaceWith, temporaryFolder } from "./cli-harness.ts";

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

test("info shows the devices that the app has named, with the last day of each", async () => {
  const [laptop, phone, former] = ["a", "b", "c"].map((digit) => digit.repeat(32));
  const line = (counter: number, key: string, value: string): string =>
    `${JSON.stringify(["p", counter, SPACE_ID, key, value])}\n`;
  const log = (day: string, peer: string): string => LOG_FILE.replace("2026/11/22", day).replace(PEER_ID, peer);
  const space = spaceWith({
    [LOG_FILE]: [
      `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`,
      line(3, `peer:${laptop}`, "device 1"),
      line(4, `peer:${former}`, "device 1"),
      line(5, "device:device 1", "Laptop"),
      line(6, `peer:${phone}`, "device 2"),
    ].join(""),
    [log("2026/11/23", phone!)]: line(7, "text", "of the phone"),
    [log("2026/11/24", former!)]: line(7, "text", "of the laptop, earlier"),
    [log("2026/11/25", `${phone}.${laptop}`)]: line(7, "text", "of the phone"),
  });
  const { stdout } = await foldspace(["info", space]);
  expect(stdout).toContain(
    "devices   Laptop  last saved on 2026-11-24 (UTC)\n          (no name)  last saved on 2026-11-23 (UTC)\n",
  );
  const info = JSON.parse((await foldspace(["info", space, "--json"])).stdout) as { devices: unknown };
  expect(info.devices).toEqual([
    { id: "device 1", name: "Laptop", peers: 2, lastSaved: "2026-11-24" },
    { id: "device 2", peers: 1, lastSaved: "2026-11-23" },
  ]);
});

test.runIf(process.platform === "linux")(
  "where no folder for state can be made at all, the command works all the same",
  async () => {
    const space = spaceWith();
    const { code, stderr } = await foldspace(["add", space, "--name", "item"], { variables: { XDG_STATE_HOME: "/proc/none" } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  },
);
