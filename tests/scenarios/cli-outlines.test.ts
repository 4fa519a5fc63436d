import { expect, test } from "vitest";
import { foldspace, temporaryFolder } from "./cli-harness.ts";

async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await foldspace([...args]);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trimEnd();
}

async function error(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await foldspace([...args]);
  expect(code).not.toBe(0);
  return stderr;
}

async function newPage(): Promise<{ readonly path: string; readonly items: () => Promise<string> }> {
  const path = `${temporaryFolder()}/notes`;
  await output("init", path, "--name", "Notes");
  await output("add", path, "--page", "--name", "Shop list");
  return { path, items: () => output("export", path, "--format", "markdown", "--tree", "Shop list") };
}

test("items are found by the title of their page and the texts that lead to them, as they are shown", async () => {
  const { path, items } = await newPage();
  await output("add", path, "--parent", "Shop list", "--name", "Bakery **fine**");
  await output("add", path, "--parent", "/shop list/bakery fine", "--name", "Rolls/Buns");
  await output("add", path, "--tree", "Shop list", "--parent", "Bakery fine/Rolls/Buns", "--name", "of [[Rye|dark flour]]");
  await output("set", path, "Shop list/Bakery **fine**/Rolls/Buns/of dark flour", "done=true");
  expect(await items()).toBe("# Shop list\n\n- Bakery **fine**\n  - Rolls/Buns\n    - [x] of [[Rye|dark flour]]");
  const tree = await output("tree", path, "Shop list/Bakery fine/Rolls/Buns");
  expect(tree.split("\n").map((line) => line.replace(/ {2}[0-9a-f]+$/, ""))).toEqual([
    "Shop list",
    "  Rolls/Buns",
    "    [x] of [[Rye|dark flour]]",
  ]);
  const part = await output("export", path, "--format", "markdown", "--tree", "Shop list/bakery fine/rolls/buns");
  expect(part).toBe("- Rolls/Buns\n  - [x] of [[Rye|dark flour]]");
  await output("move", path, "Shop list/Bakery fine/Rolls/Buns/of dark flour", "/");
  await output("rm", path, "Shop list/Bakery fine");
  expect(await items()).toBe("# Shop list\n\n- [x] of [[Rye|dark flour]]");
});

test("a path that leads to several items, or to none, is told, and changes nothing", async () => {
  const { path, items } = await newPage();
  for (const name of ["same", "same", "Other"]) await output("add", path, "--parent", "Shop list", "--name", name);
  expect(await error("set", path, "Shop list/same", "done=true")).toMatch(
    /fits several vertices.*"same" under page [0-9a-f]{8}, with nothing below it.*FOLD_NO_VERTEX/,
  );
  expect(await error("rm", path, "Shop list/none")).toContain("FOLD_NO_VERTEX");
  expect(await error("tree", path, "Shop list/none")).toContain("FOLD_NO_TREE");
  expect(await error("export", path, "--format", "json", "--tree", "Shop list/Other")).toContain("whole trees");
  expect(await items()).toBe("# Shop list\n\n- same\n- same\n- Other");
});

test("texts and notes are texts, whatever they look like, and notes are shown and exported", async () => {
  const { path, items } = await newPage();
  await output("add", path, "--parent", "Shop list", "--name", "x", "--property", "note=12");
  await output("set", path, "Shop list/x", "text=1.0", "amount=2");
  expect(await items()).toBe("# Shop list\n\n- 1.0\n  12");
  await output("set", path, "Shop list/1.0", "note=first\n- second");
  expect(await items()).toBe("# Shop list\n\n- 1.0\n  first\n  \\- second");
  expect(await output("tree", path, "Shop list")).toMatch(/\n {2}1\.0 .*\n {4}first\n {4}- second$/);
  await output("set", path, "Shop list/1.0", "--remove", "note");
  expect(await items()).toBe("# Shop list\n\n- 1.0");
});

test("a page is made, renamed and deleted under its title", async () => {
  const { path } = await newPage();
  await output("set", path, "Shop list", "--name", "Shopping");
  expect(await output("export", path, "--format", "markdown", "--tree", "Shopping")).toBe("# Shopping");
  await output("rm", path, "Shopping");
  expect(await error("tree", path, "Shopping")).toContain("FOLD_NO_TREE");
  expect(await error("add", path, "--page", "--name", "x", "--parent", "/")).toContain("--page");
});
