import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyOfFixture, foldspace, jsonLines, LOG_FILE, PEER_ID, SPACE_ID, spaceWith, temporaryFolder } from "./cli-harness.ts";

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await foldspace(args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trimEnd();
}

function signal(): { given: Promise<void>; give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}

/** The space tree by its names, indented, without ids. */
async function outline(path: string, ...options: string[]): Promise<string[]> {
  return (await output("tree", path, ...options)).split("\n").map((line) => line.replace(/ {2}[0-9a-f]{8,32}( {2}.*)?$/, ""));
}

test("a space is made, filled, changed and shown", async () => {
  const path = join(temporaryFolder(), "new", "notes");
  const id = await output("init", path, "--name", "My notes");
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(JSON.parse(readFileSync(join(path, "space-v1/space.json"), "utf8"))).toEqual({ id });
  expect(existsSync(join(path, "supa.md"))).toBe(true);

  const inbox = await output("add", path, "--name", "Inbox");
  const bread = JSON.parse(
    await output(
      "add",
      path,
      "--name",
      "Bread",
      "--parent",
      "/Inbox",
      "--property",
      "amount=2",
      "--property",
      "note=soft = good",
      "--json",
    ),
  ) as { id: string };
  expect(bread).toEqual({ id: bread.id, parentId: inbox, treeId: id });
  await output("add", path, "--name", "Done");
  expect(await outline(path)).toEqual(["My notes", "  app-forest", "  Inbox", "    Bread", "  Done"]);

  await output("move", path, bread.id.slice(0, 8), "/Done");
  expect(
    await output(
      "set",
      path,
      "/Done/Bread",
      "amount=3",
      'tags=["a"]',
      "empty={}",
      'text="12"',
      "done=true",
      "__proto__=x",
      "--remove",
      "note",
    ),
  ).toContain("7 properties");
  expect(await output("set", path, "/Done/Bread", "amount=3")).toContain("0 properties");
  expect(JSON.parse(await output("set", path, bread.id, "--name", "White bread", "--json"))).toEqual({
    id: bread.id,
    treeId: id,
    changed: ["name"],
  });
  await output("rm", path, "/Inbox");
  expect(await outline(path)).toEqual(["My notes", "  app-forest", "  Done", "    White bread"]);

  const { trees } = JSON.parse(await output("tree", path, "--json")) as {
    trees: { vertices: { id: string; properties: object }[] }[];
  };
  const shown = trees[0]!.vertices.find((vertex) => vertex.id === bread.id)!;
  const expected = { amount: 3, tags: ["a"], empty: {}, text: "12", done: true, name: "White bread", ["__proto__"]: "x" };
  expect(
    Object.entries(shown.properties)
      .filter(([key]) => key !== "_c")
      .sort(),
  ).toEqual(Object.entries(expected).sort());
  // a deleted vertex can be moved out of the bin again
  await output("move", path, inbox, "/");
  expect(await outline(path)).toEqual(["My notes", "  app-forest", "  Inbox", "  Done", "    White bread"]);
});

test("trees are found by id, by the beginning of the id, and by title; vertices in all of them", async () => {
  const path = copyOfFixture("two-devices");
  for (const name of ["842d4bd82f364c609f89d53a4d95ef7d", "842d4bd8", "chat created on B", "CHAT CREATED ON B"]) {
    expect((await output("tree", path, name)).split("\n")[0]).toBe("chat created on B  842d4bd82f364c609f89d53a4d95ef7d");
  }
  const added = await output("add", path, "--tree", "notes (renamed on B)", "--name", "new");
  await output("set", path, added, "x=1");
  await output("set", path, "/folder A", "x=1", "--tree", "2d50f24f");
  expect(await output("tree", path, "2d50f24f", "--properties")).toMatch(/folder A.*\n(.*\n)*.*x: 1/);
  // that tree keeps names in _n
  expect(await output("log", path, "2d50f24f", "--json")).toContain(`"targetId":"${added}","key":"_n","value":"new"`);
  expect((await output("tree", path, "--all")).match(/^\S/gm)).toHaveLength(6);
});

test("info shows every tree, referenced or not", async () => {
  const path = copyOfFixture("two-devices");
  const info = JSON.parse(await output("info", path, "--json")) as { trees: { id: string }[]; peers: string[] };
  expect(info).toMatchObject({ id: "67ade9466ab542fc89e9b631c5a37af0", name: "Renamed by B", path, files: 23, problems: 0 });
  expect(info).toMatchObject({ days: { count: 7, first: "2024-06-11", last: "2026-01-01" } });
  expect(info.peers).toHaveLength(14);
  expect(info.trees[0]).toMatchObject({ id: "67ade9466ab542fc89e9b631c5a37af0", isSpaceTree: true, operations: 68 });
  expect(info.trees.find(({ id }) => id.startsWith("d051d16d"))).toMatchObject({
    appId: "files",
    isReferenced: false,
    hasRoot: true,
    operations: 10,
  });
  expect(info.trees.find(({ id }) => id.startsWith("2d50f24f"))).toMatchObject({
    title: "Notes (renamed on B)",
    isReferenced: true,
    operations: 112,
  });
  expect(await output("info", path)).toContain("not referenced by the space tree");
});

test("log gives each operation once, in order, in words or as JSON", async () => {
  const path = copyOfFixture("old-sync");
  const lines = jsonLines(await output("log", path, "--json"));
  const info = JSON.parse(await output("info", path, "--json")) as { trees: { id: string; operations: number }[] };
  for (const { id, operations } of info.trees) {
    const counters = lines.filter((line) => line["treeId"] === id).map((line) => line["counter"] as number);
    expect(counters).toHaveLength(operations);
    expect(counters).toEqual(counters.toSorted((a, b) => a - b));
  }
  const removing = spaceWith();
  await output("set", removing, "/", "a=1");
  await output("set", removing, "/", "--remove", "a");
  const [removal] = jsonLines(await output("log", removing, "--json")).slice(-1);
  expect(removal).toMatchObject({ kind: "property", targetId: SPACE_ID, key: "a", isRemoved: true });
  const words = await output("log", removing);
  expect(words).toContain(`create  01234567 "Space" as a root`);
  expect(words).toContain(`unset   01234567 "Space" a`);
});

test("export writes a file, and Markdown with a heading per tree", async () => {
  const path = copyOfFixture("two-devices");
  const file = join(temporaryFolder(), "notes.md");
  const { code, stdout, stderr } = await foldspace(["export", path, "--format", "markdown", "--output", file]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toContain("6 trees");
  const text = readFileSync(file, "utf8");
  expect(text.match(/^## .*/gm)).toHaveLength(6);
  expect(text).toContain("# Renamed by B\n\n## Renamed by B\n\n- app-configs\n  - Chat\n");
  expect(text).toContain("- message\n\n    hi from A\n");
});

test("a tree whose root is missing is exported without vertices, and said so", async () => {
  const path = spaceWith({ [`space-v1/ops/ab/${"c".repeat(30)}/2026/11/22/${PEER_ID}.jsonl`]: '["p",5,"x","name","lost"]\n' });
  const { code, stdout, stderr } = await foldspace(["export", path, "--format", "json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ trees: { [`ab${"c".repeat(30)}`]: { root: null, opCount: 1, vertices: [] } } });
  expect(stderr).toContain("FOLD_NO_ROOT");
  expect((await foldspace(["tree", path, "--all"])).stdout).toContain("its root is missing");
  expect((await foldspace(["set", path, "/", "a=1"])).code).toBe(0);
});

test("a tree 100,000 levels deep is shown and exported", async () => {
  const depth = 100_000;
  const lines = [`["m",1,"${SPACE_ID}",null]`];
  for (let level = 1; level <= depth; level++)
    lines.push(`["m",${level + 1},"v${level}","${level === 1 ? SPACE_ID : `v${level - 1}`}"]`);
  const path = spaceWith({ [LOG_FILE]: `${lines.join("\n")}\n` });
  const shown = (await output("tree", path)).split("\n");
  expect(shown).toHaveLength(depth + 1);
  expect(shown.at(-1)).toContain("[depth 100000]");
  expect(shown.at(-1)!.length).toBeLessThan(120);
  expect((await output("export", path, "--format", "markdown")).split("\n").at(-1)!.length).toBeLessThan(120);
  expect(
    (JSON.parse(await output("tree", path, "--json")) as { trees: { vertices: unknown[] }[] }).trees[0]!.vertices,
  ).toHaveLength(depth + 1);
});

test("only a terminal gets colour, unless NO_COLOR is set; names cannot smuggle escape sequences into it", async () => {
  const path = spaceWith();
  await output("add", path, "--name", "red \u001b[31m alert\u0007");
  const escape = "\u001b[";
  expect((await foldspace(["tree", path])).stdout).not.toContain(escape);
  expect((await foldspace(["tree", path], { isTTY: true, columns: 80, variables: { NO_COLOR: "1" } })).stdout).not.toContain(
    escape,
  );
  const colored = (await foldspace(["tree", path], { isTTY: true, columns: 80 })).stdout;
  expect(colored).toContain(escape);
  expect(colored).not.toContain("\u001b[31m");
  expect(colored).toContain(String.raw`red \u001b[31m alert\u0007`);
  expect((await foldspace(["log", path], { isTTY: true, columns: 40 })).stdout).not.toContain("\u0007");
});

test("progress is shown on a terminal only, and the result is not mixed with it", async () => {
  const path = copyOfFixture("two-devices");
  expect((await foldspace(["verify", path])).stderr).not.toContain("Checked");
  const { stdout, stderr } = await foldspace(["verify", path], { isTTY: true, columns: 80 });
  expect(stderr).toContain("Checked 1 of 23 files");
  expect(stdout).toBe("");
});

test("watch tells of what arrives, also in new trees, and ends quietly when interrupted", async () => {
  const path = spaceWith();
  const treeId = `ab${"c".repeat(30)}`;
  const interrupt = signal();
  const [ready, complete] = [signal(), signal()];
  const watching = foldspace(["watch", path, "--json"], {
    interrupted: interrupt.given,
    onStdout: (soFar) => {
      if (soFar.includes('"ready"')) ready.give();
      if (soFar.includes('"Milk"') && soFar.includes(treeId)) complete.give();
    },
  });
  await ready.given;
  await output("add", path, "--name", "Milk");
  mkdirSync(join(path, `space-v1/ops/ab/${"c".repeat(30)}/2026/11/22`), { recursive: true });
  writeFileSync(join(path, `space-v1/ops/ab/${"c".repeat(30)}/2026/11/22/${PEER_ID}.jsonl`), `["m",1,"${treeId}",null]\n`);
  await complete.given;
  interrupt.give();
  const { code, stdout, stderr } = await watching;
  expect(code).toBe(0);
  expect(stderr).toBe(`watching ${path}\n`);
  const [first, ...changes] = jsonLines(stdout);
  expect(first).toEqual({ event: "ready" });
  expect(changes.filter((change) => change["treeId"] === SPACE_ID).map((change) => [change["counter"], change["kind"]])).toEqual([
    [4, "move"],
    [5, "property"],
    [6, "property"],
  ]);
  expect(changes.find((change) => change["treeId"] === treeId)).toMatchObject({
    kind: "move",
    targetId: treeId,
    parentId: null,
    time: expect.any(String),
  });
});
