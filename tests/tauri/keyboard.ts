import { spawnSync } from "node:child_process";
import { expect } from "vitest";

const APP_TITLE = "^foldspace$";
const FOLDER_DIALOG_TITLE = "^Choose a folder";
const LIMIT = { timeout: 10_000 };

/** Presses keys in the app's window that was opened last, as its menu has them. */
export async function press(keys: string): Promise<void> {
  await expect.poll(() => windowsCalled(APP_TITLE), LIMIT).not.toEqual([]);
  xdotool("windowfocus", "--sync", windowsCalled(APP_TITLE).at(-1)!);
  xdotool("key", keys);
}

/** Makes the app's window that was opened last so large, in pixels of the screen. */
export function resize(width: number, height: number): void {
  xdotool("windowsize", "--sync", windowsCalled(APP_TITLE).at(-1)!, `${width}`, `${height}`);
}

/** Chooses a folder in the system's dialog, which is about to open. */
export async function chooseFolder(path: string): Promise<void> {
  const dialogs = (): string[] => windowsCalled(FOLDER_DIALOG_TITLE);
  await expect.poll(dialogs, LIMIT).not.toEqual([]);
  xdotool("windowfocus", "--sync", dialogs()[0]!);
  // the first key opens a field, and what follows at once may come before it is there
  xdotool("key", "slash", "sleep", "0.5", "key", "ctrl+a");
  xdotool("type", "--delay", "20", path);
  xdotool("key", "Return");
  await expect.poll(dialogs, LIMIT).toEqual([]);
}

function windowsCalled(title: string): string[] {
  const { stdout } = spawnSync("xdotool", ["search", "--onlyvisible", "--name", title], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}

function xdotool(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("xdotool", args, { encoding: "utf8", timeout: 10_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}
