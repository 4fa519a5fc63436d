import type { ReplicatedTree } from "foldspace/tree";
import { expect } from "vitest";
import { ConflictWatcher, type Conflict } from "./conflicts.ts";
import type { Device } from "./test-pages.ts";

export function findConflicts(tree: ReplicatedTree): readonly Conflict[] {
  const watcher = new ConflictWatcher(tree);
  watcher.close();
  return watcher.conflicts;
}

/** Conflicts as `winner/loser`. */
export function drawn(conflicts: readonly Conflict[]): string[] {
  return conflicts.map(({ winner, loser }) => `${winner.value}/${loser.value}`).sort();
}

export function conflictsOn(device: Device): string[] {
  return drawn(findConflicts(device.tree));
}

/** The conflicts that a later device finds in the log alone. */
function conflictsInLog(device: Device): string[] {
  return drawn(findConflicts(device.tree.replicate("a later start")));
}

export function expectConflicts(devices: readonly Device[], expected: readonly string[]): void {
  for (const device of devices) expect([conflictsOn(device), conflictsInLog(device)]).toEqual([expected, expected]);
}
