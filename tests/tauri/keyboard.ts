import { spawnSync } from "node:child_process";
import { expect } from "vitest";

const APP_TITLE = "^foldspace$";

/** Presses keys in the app's window that was opened last, as its menu has them. */
export async function press(keys: string): Promise<void> {
  await expect.poll(appWindows, { timeout: 10_000 }).not.toEqual([]);
  xdotool("windowfocus", "--sync", appWindows().at(-1)!);
  xdotool("key", keys);
}

function appWindows(): string[] {
  const { stdout } = spawnSync("xdotool", ["search", "--onlyvisible", "--name", APP_TITLE], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}

function xdotool(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("xdotool", args, { encoding: "utf8", timeout: 10_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}
