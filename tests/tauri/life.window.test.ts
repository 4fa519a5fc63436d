import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { argumentsOf, programPath, DesktopApp, type DesktopStart, makeFolder, openWindow, variablesOf } from "./desktop-app.ts";
import { chooseFolder, press, resize } from "./keyboard.ts";

const SOON_MS = 15_000;

function newStart(): DesktopStart & { readonly folder: string; readonly profile: string } {
  const home = makeFolder();
  const folder = join(home, "Notes");
  mkdirSync(folder);
  return { home, folder, profile: "test" };
}

/** All that logs hold. */
function logs(folder: string): string {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".jsonl"));
  return paths.map((path) => readFileSync(join(folder, path), "utf8")).join("");
}

/** Starts the program once more. @returns its exit code; `null` where it went on by itself */
function startAgain(start: DesktopStart): number | null {
  const env = { ...process.env, ...variablesOf(start.home) };
  return spawnSync(programPath("app"), argumentsOf(start), { env, stdio: "ignore", timeout: SOON_MS }).status;
}

test("a window that is closed in the middle of a word saves it, and the next start has the folder", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  await app.untilSaved();
  await app.typeItem("half a wo");
  await press("ctrl+w");
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);
  expect(logs(start.folder)).toContain("half a wo");

  const next = await DesktopApp.start({ home: start.home, profile: start.profile });
  await next.untilShown("half a wo");
  await next.typeItem("after the restart");
  await next.untilSaved();
  expect(logs(start.folder)).toContain("after the restart");
  await press("ctrl+q");
  await expect.poll(() => next.isThere(), { timeout: SOON_MS }).toBe(false);
});

test("a folder that is chosen in the dialog gets a space, which is there again at the next start", async () => {
  const { home, folder, profile } = newStart();
  const app = await DesktopApp.start({ home, profile });
  await press("ctrl+o");
  await chooseFolder(folder);
  await expect.poll(() => app.spaceName(), { timeout: SOON_MS }).toBe("Notes");
  await app.typeItem("in the chosen folder");
  await app.untilSaved();
  expect(logs(folder)).toContain("in the chosen folder");
  await press("ctrl+q");
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);

  const next = await DesktopApp.start({ home, profile });
  await next.typeItem("after the restart");
  await next.untilSaved();
  expect(logs(folder)).toContain("after the restart");
});

test("an instance that is killed loses nothing that it said was saved", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  for (let time = 1; time <= 5; time++) await app.typeItem(`item ${time}`);
  await app.untilSaved();
  app.window.kill();
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);
  for (let time = 1; time <= 5; time++) expect(logs(start.folder)).toContain(`"item ${time}"`);

  const next = await DesktopApp.start({ home: start.home, profile: start.profile });
  for (let time = 1; time <= 5; time++) await next.untilShown(`item ${time}`);
  await next.untilSaved();
});

test("a second start opens a window of the first instance, for another folder too", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  await app.untilSaved();
  expect(await app.window.windows()).toHaveLength(1);
  const other = join(start.home, "Other notes");
  mkdirSync(other);
  expect(startAgain({ ...start, folder: other })).toBe(0);
  await expect.poll(() => app.window.windows(), { timeout: SOON_MS }).toHaveLength(2);
  await press("ctrl+n");
  await expect.poll(() => app.window.windows(), { timeout: SOON_MS }).toHaveLength(3);
  const names = new Set<string>();
  for (const window of await app.window.windows()) {
    await app.window.switchTo(window);
    await expect.poll(() => app.items(), { timeout: SOON_MS }).not.toEqual([]);
    names.add(await app.spaceName());
  }
  expect(names).toEqual(new Set(["Notes", "Other notes"]));
  await press("ctrl+q");
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);
});

test("a window reaches the folder of no other, and no repository in its own", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  await app.untilSaved();
  const other = join(start.home, "Other notes");
  for (const folder of [start.folder, other]) mkdirSync(join(folder, ".git"), { recursive: true });
  const reads = async (path: string): Promise<string> =>
    await app.window.runAsync(
      SOON_MS,
      `return await __TAURI_INTERNALS__.invoke("plugin:fs|read_dir", { path: arguments[0] }).then(() => "read", String);`,
      path,
    );
  expect(startAgain({ ...start, folder: other })).toBe(0);
  await expect.poll(() => app.window.windows(), { timeout: SOON_MS }).toHaveLength(2);
  const names = new Set<string>();
  for (const window of await app.window.windows()) {
    await app.window.switchTo(window);
    await expect.poll(() => app.items(), { timeout: SOON_MS }).not.toEqual([]);
    const name = await app.spaceName();
    names.add(name);
    const [own, foreign] = name === "Notes" ? [start.folder, other] : [other, start.folder];
    expect(await reads(join(own, "space-v1"))).toBe("read");
    expect(await reads(join(own, ".git"))).toContain("forbidden path");
    expect(await reads(join(foreign, "space-v1"))).toContain("forbidden path");
  }
  expect(names).toEqual(new Set(["Notes", "Other notes"]));
});

test("a window is as large as it was left", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  const width = (each: DesktopApp): Promise<number> => each.window.run("return innerWidth;");
  const usual = await width(app);
  resize(usual - 300, 500);
  await expect.poll(() => width(app), { timeout: SOON_MS }).toBe(usual - 300);
  await press("ctrl+q");
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);
  const next = await DesktopApp.start(start);
  await expect.poll(() => width(next), { timeout: SOON_MS }).toBe(usual - 300);
});

test("profiles have nothing in common", async () => {
  const start = newStart();
  const app = await DesktopApp.start(start);
  await app.typeItem("of the first profile");
  await app.untilSaved();
  const other = await DesktopApp.start({ home: start.home, profile: "other" });
  expect(await other.items()).not.toContain("of the first profile");
  expect(await app.window.windows()).toHaveLength(1);
});

test("a file that the page gives lands where downloads are kept, and its place is told", async () => {
  const start = newStart();
  const downloads = join(start.home, "Downloads");
  for (const path of [downloads, join(start.home, "config")]) mkdirSync(path);
  writeFileSync(join(start.home, "config/user-dirs.dirs"), 'XDG_DOWNLOAD_DIR="$HOME/Downloads"\n');
  const { window } = await DesktopApp.start(start);
  const choose = (label: string): Promise<unknown> =>
    window.run(
      `[...document.querySelectorAll("button")].find((button) => button.textContent.trim() === arguments[0]).click();`,
      label,
    );
  await choose("Import and export");
  await choose("This page as Markdown");
  const text = (): Promise<string> => window.run("return document.body.innerText;");
  await expect.poll(text, { timeout: SOON_MS }).toContain(`Saved as ${join(downloads, "Welcome.md")}`);
  expect(readFileSync(join(downloads, "Welcome.md"), "utf8")).toContain("Nothing is lost");
});

test("no space is made in a folder that is not there, nor among the files of another", async () => {
  const { home, folder } = newStart();
  const missing = join(home, "Ntoes");
  const inside = join(folder, "space-v1");
  mkdirSync(join(inside, "ops"), { recursive: true });
  writeFileSync(join(inside, "space.json"), "{}");
  for (const [path, words] of [
    [missing, "There is no such folder"],
    [inside, "give the folder above it"],
  ] as const) {
    const window = await openWindow("app", { home, folder: path, profile: basename(path) });
    const text = (): Promise<string> => window.run("return document.body.textContent;");
    await expect.poll(text, { timeout: SOON_MS }).toContain(words);
  }
  expect(existsSync(missing)).toBe(false);
  expect(readdirSync(inside).sort()).toEqual(["ops", "space.json"]);
});

test("a page that does not answer does not keep its window open", async () => {
  const app = await DesktopApp.start(newStart());
  await app.window.run("setTimeout(() => { for (;;); }, 100);");
  await press("ctrl+w");
  await expect.poll(() => app.isThere(), { timeout: SOON_MS }).toBe(false);
});

test("arguments that make no sense are refused", () => {
  expect(startAgain({ home: makeFolder(), profile: "../x" })).toBe(2);
});
