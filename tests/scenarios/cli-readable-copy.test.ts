import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { MANIFEST_FILE } from "../../src/readable/manifest.ts";
import type { Space } from "../../src/space/space.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Vertex } from "../../src/tree/index.ts";
import { foldspace, listing, temporaryFolder } from "./cli-harness.ts";

/** What comes at all comes within so many milliseconds. */
const SOON = { timeout: 15_000, interval: 20 };

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await foldspace(args);
  expect({ args, code, stderr: code === 0 ? "" : stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trim();
}

/** A space with pages, in a folder beside which there is room. */
async function spaceOf(...titles: string[]): Promise<{ space: string; copy: string }> {
  const around = temporaryFolder();
  const space = join(around, "notes");
  await run("init", space, "--name", "Notes");
  for (const title of titles) await addPage(space, title);
  return { space, copy: join(around, "readable") };
}

/** Makes a page with one item, as the app does. @returns id of its tree */
async function addPage(space: string, title: string): Promise<string> {
  const { manager, opened } = await openSpace(space);
  const { id, root } = opened.newAppTree("outline", title);
  root.newChild({ text: `on ${title}`, order: "a0" });
  await manager.closeSpace(opened.id);
  return id;
}

async function openSpace(space: string): Promise<{ manager: SpaceManager; opened: Space }> {
  const { id } = JSON.parse(readFileSync(join(space, "space-v1/space.json"), "utf8")) as { id: string };
  const manager = new SpaceManager();
  return {
    manager,
    opened: await manager.loadSpace({ id }, [new FileSystemPersistenceLayer(space, id, { fs: new NodeFileSystem() })]),
  };
}

async function editPages(space: string, edit: (pages: ReadonlyMap<string, Vertex>, space: Space) => void): Promise<void> {
  const { manager, opened } = await openSpace(space);
  const pages = opened.appTrees.map(({ name = "", vertexId }) => [name, opened.tree.getVertex(vertexId)!] as const);
  edit(new Map(pages), opened);
  await manager.closeSpace(opened.id);
}

const filesOf = (copy: string): string[] =>
  readdirSync(copy)
    .filter((name) => name !== MANIFEST_FILE)
    .sort();

const toMarkdown = (copy: string, space: string): string[] => ["export", space, "--format", "markdown", "--to", copy];

test("every page becomes a file, as it is exported alone, and the folder of the space stays as it is", async () => {
  const { space, copy } = await spaceOf("Shopping", "a/b", "Shopping");
  const before = listing(space);
  const { code, stdout, stderr } = await foldspace(toMarkdown(copy, space));
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: `Copied to ${copy}: 3 files written, 0 removed\n` });
  expect(listing(space)).toEqual(before);
  expect(filesOf(copy)).toEqual([expect.stringMatching(/^Shopping \([0-9a-f]{8}\)\.md$/), "Shopping.md", "a-b.md"]);
  expect(readFileSync(join(copy, "a-b.md"), "utf8")).toBe("# a/b\n\n- on a/b\n");
  expect(`${await run("export", space, "--format", "markdown", "--tree", "a/b")}\n`).toBe("# a/b\n\n- on a/b\n");
  expect((await foldspace(toMarkdown(copy, space))).stderr).toBe(`Copied to ${copy}: it was up to date\n`);
});

test("links in the folder of the copy are neither followed nor replaced", async () => {
  const { space, copy } = await spaceOf("One", "Two");
  const outside = temporaryFolder();
  writeFileSync(join(outside, "mine.md"), "mine");
  mkdirSync(copy);
  await run(...toMarkdown(copy, space));
  for (const name of ["One.md", "Two.md"]) {
    rmSync(join(copy, name));
    symlinkSync(join(outside, "mine.md"), join(copy, name));
  }
  await editPages(space, (pages) => {
    pages.get("One")!.name = "Uno";
  });
  await run(...toMarkdown(copy, space));
  expect(filesOf(copy)).toEqual(["One.md", expect.stringMatching(/^Two \(.*\)\.md$/), "Two.md", "Uno.md"]);
  expect(readdirSync(outside)).toEqual(["mine.md"]);
  expect(readFileSync(join(outside, "mine.md"), "utf8")).toBe("mine");
});

test("a link to the folder of the space, or to what is in it, is no folder for a copy", async () => {
  const { space } = await spaceOf("One");
  const around = temporaryFolder();
  const before = listing(space);
  for (const [name, target] of [
    ["whole", space],
    ["inside", join(space, "space-v1")],
  ] as const) {
    symlinkSync(target, join(around, name));
    const { code, stderr } = await foldspace(toMarkdown(join(around, name, name === "inside" ? "copy" : ""), space));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("a folder of its own") });
  }
  expect(listing(space)).toEqual(before);
});

test("--watch keeps the files up to date until it is interrupted", async () => {
  const { space, copy } = await spaceOf("One");
  let interrupt = (): void => undefined;
  const interrupted = new Promise<void>((resolve) => (interrupt = resolve));
  const running = foldspace([...toMarkdown(copy, space), "--watch"], { interrupted });
  await expect.poll(() => existsSync(copy) && filesOf(copy), SOON).toEqual(["One.md"]);
  const id = await addPage(space, "Two");
  await expect.poll(() => filesOf(copy), SOON).toEqual(["One.md", "Two.md"]);
  await run("add", space, "--tree", id, "--name", "another");
  await expect.poll(() => readFileSync(join(copy, "Two.md"), "utf8"), SOON).toBe("# Two\n\n- on Two\n- another\n");
  await editPages(space, (pages, { tree }) => {
    pages.get("Two")!.name = "Second";
    tree.deleteVertex(pages.get("One")!.id);
  });
  await expect.poll(() => filesOf(copy), SOON).toEqual(["Second.md"]);
  interrupt();
  expect(await running).toEqual({ code: 0, stdout: "", stderr: `keeping a readable copy in ${copy}\n` });
});

test.each([
  [["--watch", "--format", "markdown"], "--watch needs --to"],
  [["--to", "x", "--format", "json"], "--to makes Markdown files"],
  [["--to", "x", "--format", "markdown", "--output", "y"], "cannot be used with"],
  [["--to", "x", "--format", "markdown", "--tree", "y"], "cannot be used with"],
])("%j is wrong usage", async (args, message) => {
  const { space } = await spaceOf();
  const { code, stderr } = await foldspace(["export", space, ...args]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
});

test("serve keeps a copy beside the pages that it serves, and says where there can be none", async () => {
  const { space, copy } = await spaceOf("One");
  let interrupt = (): void => undefined;
  const interrupted = new Promise<void>((resolve) => (interrupt = resolve));
  const app = temporaryFolder();
  writeFileSync(join(app, "index.html"), "<!doctype html>");
  const serve = (to: string): Promise<{ code: number; stderr: string }> =>
    foldspace(["serve", space, "--port", "0", "--app", app, "--readable-copy", to], { interrupted });
  expect(await serve(space)).toMatchObject({ code: 1, stderr: expect.stringContaining("a folder of its own") });
  const running = serve(copy);
  await expect.poll(() => existsSync(copy) && filesOf(copy), SOON).toEqual(["One.md"]);
  await addPage(space, "Two");
  await expect.poll(() => filesOf(copy), SOON).toEqual(["One.md", "Two.md"]);
  interrupt();
  expect((await running).code).toBe(0);
});
