import { use, useSyncExternalStore } from "react";
import {
  childrenSource,
  liveSpace,
  secretsSource,
  statusSource,
  UNOPENED,
  vertexSource,
  type LiveSpaceOptions,
  type SecretsSnapshot,
  type Source,
  type SpaceState,
  type VertexSnapshot,
} from "../live/index.ts";
import { FoldspaceError } from "../errors.ts";
import type { SpaceStatus } from "../space/layer-set.ts";
import type { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import type { Vertex } from "../tree/index.ts";

export type { LiveSpaceOptions, SecretsSnapshot, SpaceState, VertexSnapshot } from "../live/index.ts";

/**
 * Opens a space, or makes it if it is missing, for as long as a component uses it. All components with the same manager and id
 * share it, and it closes about a second after the last one is gone. On a server it stays unopened.
 * @param options those of the first component count
 */
export function useSpace(manager: SpaceManager, options: LiveSpaceOptions): SpaceState {
  const live = liveSpace(manager, options);
  return useSyncExternalStore(live.subscribe, live.get, getUnopened);
}

/**
 * As {@link useSpace}, but suspends until the space is open, and throws the reason if it cannot be opened, for an error boundary.
 * On a server it throws `FOLD_UNAVAILABLE`, so that the page has the fallback of the nearest `Suspense`.
 */
export function useSuspenseSpace(manager: SpaceManager, options: LiveSpaceOptions): Space {
  const live = liveSpace(manager, options);
  const isOnServer = useSyncExternalStore(live.subscribe, getFalse, getTrue);
  if (isOnServer) throw new FoldspaceError("FOLD_UNAVAILABLE", "A space is opened in the browser, not on a server");
  return use(live.opened);
}

/** The name, place and properties of a vertex. An edit made in an event renders with that event, so a text field keeps its caret. */
export function useVertex(vertex: Vertex): VertexSnapshot;
export function useVertex(vertex: Vertex | undefined): VertexSnapshot | undefined;
export function useVertex(vertex: Vertex | undefined): VertexSnapshot | undefined {
  return useSource(vertex ? vertexSource(vertex) : NOTHING);
}

/** The children of a vertex. Renders when a child comes, goes, moves or is changed. */
export function useChildren(vertex: Vertex | undefined): readonly Vertex[] {
  return useSource<readonly Vertex[]>(vertex ? childrenSource(vertex) : NO_CHILDREN);
}

/** The secrets of a space, and whether a passphrase protects them. */
export function useSecrets(space: Space): SecretsSnapshot {
  return useSource(secretsSource(space.secrets));
}

/** The state of the space's layers: what is saved, what fails. */
export function useStatus(space: Space): SpaceStatus {
  return useSource(statusSource(space));
}

const getUnopened = (): SpaceState => UNOPENED;
const getTrue = (): boolean => true;
const getFalse = (): boolean => false;

function constant<T>(value: T): Source<T> {
  return { get: () => value, subscribe: () => () => undefined };
}

const NOTHING: Source<undefined> = constant(undefined);
const NO_CHILDREN: Source<readonly Vertex[]> = constant(Object.freeze([]));

function useSource<T>({ subscribe, get }: Source<T>): T {
  return useSyncExternalStore(subscribe, get, get);
}
