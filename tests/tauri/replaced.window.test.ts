import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { encodeLine } from "../../src/log/index.ts";
import { newId } from "../../src/tree/index.ts";
import { outsideHands } from "../external-writer.ts";
import { DesktopApp, makeFolder } from "./desktop-app.ts";

const REPLACEMENTS = 50;
/** Far beyond what is usual, and short of the time after which everything is looked at anyway. */
const MISSED_MS = 10_000;

/** Waits in the page until the first item has a text. */
const UNTIL_SHOWN = `
  const [text, limit] = arguments;
  const item = document.querySelector("[data-testid=row] .text");
  return await new Promise((resolve, reject) => {
    const look = () => { if (item.textContent === text) { observer.disconnect(); resolve(Date.now()); } };
    const observer = new MutationObserver(look);
    observer.observe(item, { childList: true, characterData: true, subtree: true });
    setTimeout(() => reject(new Error(text + " is not shown")), limit);
    look();
  });`;

test(`of ${REPLACEMENTS} files that are put in the place of others none is missed`, async () => {
  const folder = join(makeFolder(), "Notes");
  mkdirSync(folder);
  const app = await DesktopApp.start({ home: makeFolder(), folder });
  await app.untilSaved();
  const targetId = await app.firstId();
  const peerId = newId();
  const path = join(folder, pageFolder(folder), `${peerId}.jsonl`);
  const log: string[] = [];
  const delays: number[] = [];
  for (let time = 1; time <= REPLACEMENTS; time++) {
    const value = `replaced ${time}`;
    log.push(encodeLine({ id: { counter: 1_000 + time, peerId }, targetId, key: "text", value, transient: false }));
    const shown = app.window.runAsync<number>(MISSED_MS, UNTIL_SHOWN, value, MISSED_MS);
    await outsideHands.replace(path, log.join(""));
    const replacedAt = Date.now();
    delays.push((await shown) - replacedAt);
  }
  expect(delays).toHaveLength(REPLACEMENTS);
  const figures = process.env["TAURI_FIGURES"];
  if (figures !== undefined) writeFileSync(figures, JSON.stringify({ updateMs: delays }));
});

/** Where operations of the page stand. */
function pageFolder(folder: string): string {
  const logs = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".jsonl"));
  expect(logs).toHaveLength(2);
  const spaceId = JSON.parse(readFileSync(join(folder, "space-v1/space.json"), "utf8")) as { id: string };
  return dirname(logs.find((path) => !path.includes(spaceId.id.slice(2)))!);
}
