import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { MemoryPersistenceLayer, type MemoryStore } from "../../src/layers/memory-layer.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import type { Space } from "../../src/space/space.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A folder layer that does not keep a test waiting. */
export function layerOn(fs: FileSystem, spaceId: string, path = "/space"): FileSystemPersistenceLayer {
  return new FileSystemPersistenceLayer(path, spaceId, { fs, flushIntervalMs: 10, gatherMs: 5 });
}

export async function create(...layers: PersistenceLayer[]): Promise<Space> {
  return closedLater(await new SpaceManager().createSpace({ id: layers[0]!.spaceId, name: "ours", persistenceLayers: layers }));
}

export async function load(...layers: PersistenceLayer[]): Promise<Space> {
  return closedLater(await new SpaceManager().loadSpace({ id: layers[0]!.spaceId }, layers));
}

function closedLater(space: Space): Space {
  cleanups.push(() => space.close().catch((error: unknown) => expect(error).toMatchObject({ code: "FOLD_NOT_DURABLE" })));
  return space;
}

export function names(space: Space): (string | undefined)[] {
  return space.tree.root!.children.map((child) => child.name).sort();
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "foldspace-faults-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

/** A memory layer on a store that is a space already, so that it can be loaded as well as made. */
export function createdMemoryLayer(spaceId: string, store: MemoryStore): MemoryPersistenceLayer {
  store.spaceId = spaceId;
  return new MemoryPersistenceLayer(spaceId, { store, flushIntervalMs: 10 });
}
