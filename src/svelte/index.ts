import {
  childrenSource,
  liveSpace,
  secretsSource,
  statusSource,
  vertexSource,
  type LiveSpaceOptions,
  type SecretsSnapshot,
  type Source,
  type SpaceState,
  type VertexSnapshot,
} from "../live/index.ts";
import type { SpaceStatus } from "../space/layer-set.ts";
import type { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import type { Vertex } from "../tree/index.ts";

export type { LiveSpaceOptions, SecretsSnapshot, SpaceState, VertexSnapshot } from "../live/index.ts";

/** A store by Svelte's contract, for `$store` in components and for `fromStore`. */
export interface Readable<T> {
  /** Passes the value now and after each change. @returns a function that ends it */
  subscribe(run: (value: T) => void): () => void;
}

/**
 * Opens a space, or makes it if it is missing, while the store has subscribers. All stores with the same manager and id share it,
 * and it closes about a second after the last subscriber is gone.
 */
export function spaceStore(manager: SpaceManager, options: LiveSpaceOptions): Readable<SpaceState> {
  // looked up at each subscription, because a space that was closed is forgotten
  return { subscribe: (run) => toReadable(liveSpace(manager, options)).subscribe(run) };
}

/** The name, place and properties of a vertex. */
export function vertexStore(vertex: Vertex): Readable<VertexSnapshot> {
  return toReadable(vertexSource(vertex));
}

/** The children of a vertex. Another list when a child comes, goes, moves or is changed. */
export function childrenStore(vertex: Vertex): Readable<readonly Vertex[]> {
  return toReadable(childrenSource(vertex));
}

/** The secrets of a space, and whether a passphrase protects them. */
export function secretsStore(space: Space): Readable<SecretsSnapshot> {
  return toReadable(secretsSource(space.secrets));
}

/** The state of the space's layers: what is saved, what fails. */
export function statusStore(space: Space): Readable<SpaceStatus> {
  return toReadable(statusSource(space));
}

function toReadable<T>(source: Source<T>): Readable<T> {
  return {
    subscribe(run) {
      let last: T | undefined;
      const pass = (): void => {
        const value = source.get();
        if (value === last) return;
        last = value;
        run(value);
      };
      const stop = source.subscribe(pass);
      pass();
      return stop;
    },
  };
}
