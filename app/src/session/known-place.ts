import { SpaceRegistry, type SpacePlace } from "foldspace/indexeddb";
import { hasNotes } from "./browser-storage.ts";
import type { OpenFolder } from "./folder-source.ts";

/**
 * Whether this browser knows a space from another folder than this one, which may be a copy of that. A browser that has no notes
 * knows nothing, and keeps nothing.
 */
export async function isKnownElsewhere(spaceId: string, { place }: OpenFolder): Promise<boolean> {
  return (await withRegistry((registry) => registry.checkPlace(spaceId, place))) === "other";
}

/** The place from which this browser knows a space, in words. */
export async function describeKnownPlace(spaceId: string): Promise<string | undefined> {
  const place = (await withRegistry((registry) => registry.get(spaceId)))?.place;
  return place === undefined ? undefined : describePlace(place);
}

/** From now on, this folder is where the space is, and no other one. */
export async function notePlace(spaceId: string, { place }: OpenFolder): Promise<void> {
  await withRegistry((registry) => registry.notePlace(spaceId, place));
}

function describePlace(place: SpacePlace): string {
  return typeof place === "string" ? place : place.name;
}

async function withRegistry<T>(task: (registry: SpaceRegistry) => Promise<T>): Promise<T | undefined> {
  if (!(await hasNotes())) return undefined;
  const registry = new SpaceRegistry();
  try {
    return await task(registry);
  } finally {
    registry.close();
  }
}
