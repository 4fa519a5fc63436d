import { expect, test } from "vitest";
import { foldspace, LOG_FILE, SPACE_ID, spaceWith } from "./cli-harness.ts";

const COMPOSED = "Caf\u00e9";
const DECOMPOSED = "Cafe\u0301";

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await foldspace(args);
}

/** A space whose tree has these vertices below its root or one another, by id. */
function spaceOf(vertices: readonly (readonly [id: string, parent: string, name: string])[]): string {
  const lines = [`["m",1,"0",null]`, `["m",2,"${SPACE_ID}",null]`, `["p",3,"${SPACE_ID}","name","Space"]`];
  let counter = 4;
  for (const [id, parent, name] of vertices)
    lines.push(JSON.stringify(["m", counter++, id, parent || SPACE_ID]), JSON.stringify(["p", counter++, id, "name", name]));
  return spaceWith({ [LOG_FILE]: `${lines.join("\n")}\n` });
}

test("a path is found however its letters are composed, and the exact one is preferred", async () => {
  const path = spaceOf([
    ["aaaa1111", "", DECOMPOSED],
    ["aaaa2222", "aaaa1111", COMPOSED],
  ]);
  expect((await run("set", path, `/${COMPOSED}/${DECOMPOSED}`, "found=true")).stdout).toContain("aaaa2222");
  await run("add", path, "--name", COMPOSED);
  expect((await run("set", path, `/${DECOMPOSED}`, "found=true")).stdout).toContain("aaaa1111");
  expect((await run("set", path, `/${COMPOSED}`, "found=true")).stdout).not.toContain("aaaa1111");
});

test("the title of a page is found however its letters are composed", async () => {
  const path = spaceWith();
  await run("add", path, "--page", "--name", DECOMPOSED);
  expect((await run("add", path, "--tree", COMPOSED, "--name", DECOMPOSED)).code).toBe(0);
  expect((await run("tree", path, `${COMPOSED}/${COMPOSED}`)).stdout).toContain(DECOMPOSED);
});

test("of several vertices of one name, none is changed, and the error tells them apart", async () => {
  const path = spaceOf([
    ["bbbb1111cccc", "", "Inbox"],
    ["bbbb2222cccc", "", "Inbox"],
    ["dddd1111", "bbbb2222cccc", "Bread"],
  ]);
  const before = (await run("export", path, "--format", "json")).stdout;
  for (const args of [
    ["rm", path, "/Inbox"],
    ["set", path, "/Inbox", "x=1"],
    ["move", path, "dddd1111", "/Inbox"],
    ["add", path, "--parent", "/Inbox", "--name", "x"],
  ]) {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /fits several vertices: bbbb1111 \("Inbox" under "Space", with nothing below it\), bbbb2222 \(.*with 1 below it\)/,
    );
    expect(stderr).toContain("first 5 characters");
  }
  expect((await run("export", path, "--format", "json")).stdout).toBe(before);
  // what is below only one of them is meant
  expect((await run("rm", path, "/Inbox/Bread")).stdout).toContain("dddd1111");
  expect((await run("rm", path, "bbbb2")).stdout).toContain("bbbb2222");
});

test("the beginning of an id says how many characters are needed", async () => {
  const path = spaceOf([
    ["abcd00001", "", "one"],
    ["abcd00002", "", "two"],
  ]);
  expect((await run("rm", path, "abcd")).stderr).toMatch(/abcd00001 .*abcd00002 .*first 9 characters/);
  expect((await run("rm", path, "abc")).stderr).toContain("needs 4 characters");
  expect((await run("tree", path, "abc")).stderr).toContain("needs 4 characters");
});

test("a short beginning of an id also counts what other trees have", async () => {
  const other = "fedcba9876543210fedcba9876543210";
  const lines = [`["m",1,"0",null]`, `["m",2,"${other}",null]`, `["m",3,"abcd2222","${other}"]`];
  const path = spaceWith({
    [LOG_FILE]: `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n["m",3,"abcd1111","${SPACE_ID}"]\n`,
    [LOG_FILE.replace(`01/${SPACE_ID.slice(2)}`, `fe/${other.slice(2)}`)]: `${lines.join("\n")}\n`,
  });
  expect((await run("rm", path, "abcd")).stderr).toMatch(/fits several vertices: abcd1111.*abcd2222.*first 5 characters/);
  expect((await run("rm", path, "abcd1")).stdout).toContain("abcd1111");
  expect((await run("rm", path, "abcd2222")).stdout).toContain("abcd2222");
});

test("the vertex that leads to every page is deleted, moved and renamed by force only", async () => {
  const path = spaceWith();
  await run("add", path, "--page", "--name", "Page");
  await run("add", path, "--name", "other");
  const before = (await run("export", path, "--format", "json")).stdout;
  for (const args of [
    ["rm", path, "/app-forest"],
    ["move", path, "/app-forest", "/other"],
    ["set", path, "/app-forest", "--name", "x"],
    ["set", path, "/app-forest", "name=x"],
    ["set", path, "/app-forest", "--remove", "name"],
  ]) {
    const { code, stderr } = await run(...args);
    expect([args, code]).toEqual([args, 1]);
    expect(stderr).toMatch(/1 page.*--force.*FOLD_BAD_OPERATION/);
  }
  expect((await run("export", path, "--format", "json")).stdout).toBe(before);
  expect((await run("set", path, "/app-forest", "note=x")).code).toBe(0);
  expect((await run("rm", path, "/app-forest/Page")).code).toBe(0);
  expect((await run("rm", path, "/app-forest", "--force")).code).toBe(0);
});

test("a name without its path, and a folder around the space's, are answered with the next step", async () => {
  const path = spaceOf([["aaaa1111", "", "Milk"]]);
  expect((await run("set", path, "Milk", "done=true")).stderr).toContain("a path begins with a slash");
  const parent = path.slice(0, path.lastIndexOf("/"));
  expect((await run("info", parent)).stderr).toMatch(/holds no space \(give the folder \S+ in it\)/);
});
