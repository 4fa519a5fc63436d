import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foldspace, temporaryFolder } from "./cli-harness.ts";

const COPY = "space-v1/space.sync-conflict-20261130-120000-ABCDEFG.json";
const ONE_MORE = /^beside {4}another space began in this folder, too; to join them: foldspace join \S+$/m;

interface Beginnings {
  readonly laptop: string;
  readonly ids: readonly [laptop: string, phone: string];
}

/** A folder in which a laptop began a space with a page, and a phone another one. */
async function twoBeginnings(brings: readonly ("logs" | "space.json")[]): Promise<Beginnings> {
  const root = temporaryFolder();
  const [laptop, phone] = [join(root, "laptop"), join(root, "phone")];
  const ids: string[] = [];
  for (const [path, name] of [
    [laptop, "Laptop"],
    [phone, "Phone"],
  ] as const) {
    ids.push((await foldspace(["init", path, "--name", name])).stdout.trim());
    await foldspace(["add", path, "--page", "--name", `Page of ${name}`]);
  }
  if (brings.includes("logs")) cpSync(join(phone, "space-v1/ops"), join(laptop, "space-v1/ops"), { recursive: true });
  if (brings.includes("space.json")) copyFileSync(join(phone, "space-v1/space.json"), join(laptop, COPY));
  return { laptop, ids: [ids[0]!, ids[1]!] };
}

test.each([[["logs"]], [["space.json"]], [["logs", "space.json"]]] as const)(
  "info says that another space began in the folder, of which the %j are there",
  async (brings) => {
    const { laptop, ids } = await twoBeginnings(brings);
    const { code, stdout } = await foldspace(["info", laptop]);
    expect(code).toBe(0);
    expect(stdout).toMatch(ONE_MORE);
    expect(stdout).toContain("problems  1, see: foldspace verify");
    expect(JSON.parse((await foldspace(["info", laptop, "--json"])).stdout)).toMatchObject({ id: ids[0], otherSpaces: [ids[1]] });
  },
);

test("info says nothing of it where there is one space, or where two have been joined", async () => {
  const { laptop } = await twoBeginnings([]);
  expect((await foldspace(["info", laptop])).stdout).not.toContain("beside");
  const { laptop: joined } = await twoBeginnings(["logs", "space.json"]);
  await foldspace(["join", joined]);
  const { stdout } = await foldspace(["info", joined]);
  expect(stdout).not.toContain("beside");
  expect(stdout).toContain("problems  none seen");
  expect(JSON.parse((await foldspace(["info", joined, "--json"])).stdout)).toMatchObject({ otherSpaces: [] });
});
