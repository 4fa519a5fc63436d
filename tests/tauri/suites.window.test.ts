import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { outsideHands } from "../external-writer.ts";
import { type Program, makeFolder, openWindow } from "./desktop-app.ts";
import type { Outcome, OutsideAnswer, OutsideRequest, PageMessage } from "./outside-requests.ts";

const LONGEST_MS = 600_000;
/** No single test of the suites takes longer. */
const LONGEST_SILENCE_MS = 120_000;

test.each([
  ["without the crate tauri-plugin-foldspace", "suites-without-commands"],
  ["with the crate tauri-plugin-foldspace", "suites"],
] as const)("the suites pass in the window, %s", { timeout: LONGEST_MS }, async (_, program) => {
  const outcomes = await runSuites(program);
  expect(outcomes.filter(({ state }) => state === "failed")).toEqual([]);
  const skipped = outcomes.filter(({ state }) => state === "skipped").map(({ title }) => title);
  // each for a reason that the suites give; the fs plugin has no call that resolves links
  expect(skipped.map((title) => title.split(" > ").slice(1).join(" > "))).toEqual([
    "TauriFileSystem > reading > the real path has no links in it",
    "FileSystemPersistenceLayer on TauriFileSystem > lifecycle > storage that always exists is empty at first, and stays empty until something is saved",
    "FileSystemPersistenceLayer on TauriFileSystem > lifecycle > spaces that lie side by side do not mix",
    "FileSystemPersistenceLayer on TauriFileSystem > secrets > a layer that stores `base` keeps it until a save replaces it",
    "IndexedDBPersistenceLayer > lifecycle > missing storage is an error unless the caller asks to create it, and nothing is written",
    "IndexedDBPersistenceLayer > lifecycle > storage of another space is refused, even with `create`, and is not changed",
  ]);
  // as many as there are at least, so that none goes missing unnoticed
  expect(outcomes.length).toBeGreaterThan(120);
});

async function runSuites(program: Program): Promise<readonly Outcome[]> {
  const home = makeFolder();
  const folder = join(home, "folder");
  mkdirSync(folder);
  const window = await openWindow(program, { home, folder });
  await window.run("void runAll();");
  let answer: OutsideAnswer | null = null;
  for (;;) {
    const message: PageMessage = await window.runAsync(LONGEST_SILENCE_MS, "return await nextMessage(arguments[0]);", answer);
    if ("outcomes" in message) return message.outcomes;
    answer = await fulfil(folder, message.request);
  }
}

async function fulfil(folder: string, { id, action, args }: OutsideRequest): Promise<OutsideAnswer> {
  try {
    if (action === "makeRoot") return { id, value: mkdtempSync(join(folder, "root-")) };
    const hand = outsideHands[action] as (...args: readonly string[]) => Promise<void>;
    await hand(...args);
    return { id };
  } catch (error) {
    return { id, error: String(error) };
  }
}
