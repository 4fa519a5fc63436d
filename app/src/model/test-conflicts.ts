import type { ReplicatedTree } from "foldspace/tree";
import { expect } from "vitest";
import { RivalWatcher, type Rival } from "./conflicts.ts";
import type { Device } from "./test-pages.ts";

export function findRivals(tree: ReplicatedTree): readonly Rival[] {
  const watcher = new RivalWatcher(tree);
  watcher.close();
  return watcher.rivals;
}

/** Rivals as `standing/lost`. */
export function drawn(rivals: readonly Rival[]): string[] {
  return rivals.map(({ winner, loser }) => `${winner.value}/${loser.value}`).sort();
}

export function rivalsOn(device: Device): string[] {
  return drawn(findRivals(device.tree));
}

/** What any device finds in the log alone, without having been there. */
export function rivalsInLog(device: Device): string[] {
  return drawn(findRivals(device.tree.replicate("a later start")));
}

export function expectRivals(devices: readonly Device[], expected: readonly string[]): void {
  for (const device of devices) expect([rivalsOn(device), rivalsInLog(device)]).toEqual([expected, expected]);
}
