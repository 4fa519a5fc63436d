import {
  getCurrentInstance,
  markRaw,
  onMounted,
  onScopeDispose,
  shallowReadonly,
  shallowRef,
  toRaw,
  toValue,
  watch,
  type MaybeRefOrGetter,
  type ShallowRef,
} from "vue";
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
import type { SpaceStatus } from "../space/layer-set.ts";
import type { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import type { Vertex } from "../tree/index.ts";

export type { LiveSpaceOptions, SecretsSnapshot, SpaceState, VertexSnapshot } from "../live/index.ts";

/**
 * Opens a space, or makes it if it is missing, for as long as a component uses it. All components with the same manager and id
 * share it, and it closes about a second after the last one is gone. On a server it stays unopened.
 */
export function useSpace(manager: SpaceManager, options: LiveSpaceOptions): Readonly<ShallowRef<SpaceState>> {
  const state = shallowRef(UNOPENED);
  let stop: (() => void) | undefined;
  let isDisposed = false;
  const start = (): void => {
    if (isDisposed) return;
    const live = liveSpace(manager, options);
    const update = (): void => {
      const { space } = (state.value = live.get());
      if (space) markRaw(space);
    };
    stop = live.subscribe(update);
    update();
  };
  onScopeDispose(() => {
    isDisposed = true;
    stop?.();
  }, true);
  // a server does not mount
  if (getCurrentInstance()) onMounted(start);
  else start();
  return shallowReadonly(state);
}

/** The name, place and properties of a vertex. */
export function useVertex(vertex: MaybeRefOrGetter<Vertex>): Readonly<ShallowRef<VertexSnapshot>>;
export function useVertex(vertex: MaybeRefOrGetter<Vertex | undefined>): Readonly<ShallowRef<VertexSnapshot | undefined>>;
export function useVertex(vertex: MaybeRefOrGetter<Vertex | undefined>): Readonly<ShallowRef<VertexSnapshot | undefined>> {
  return useSource(vertex, vertexSource, undefined);
}

/** The children of a vertex. Another list when a child comes, goes, moves or is changed. */
export function useChildren(vertex: MaybeRefOrGetter<Vertex | undefined>): Readonly<ShallowRef<readonly Vertex[]>> {
  return useSource(vertex, rawChildrenSource, []);
}

/** The secrets of a space, and whether a passphrase protects them. */
export function useSecrets(space: MaybeRefOrGetter<Space>): Readonly<ShallowRef<SecretsSnapshot>>;
export function useSecrets(space: MaybeRefOrGetter<Space | undefined>): Readonly<ShallowRef<SecretsSnapshot | undefined>>;
export function useSecrets(space: MaybeRefOrGetter<Space | undefined>): Readonly<ShallowRef<SecretsSnapshot | undefined>> {
  return useSource(space, ({ secrets }) => secretsSource(secrets), undefined);
}

/** The state of the space's layers: what is saved, what fails. */
export function useStatus(space: MaybeRefOrGetter<Space>): Readonly<ShallowRef<SpaceStatus>>;
export function useStatus(space: MaybeRefOrGetter<Space | undefined>): Readonly<ShallowRef<SpaceStatus | undefined>>;
export function useStatus(space: MaybeRefOrGetter<Space | undefined>): Readonly<ShallowRef<SpaceStatus | undefined>> {
  return useSource(space, statusSource, undefined);
}

/** Keeps Vue from wrapping vertices that an app puts into a `ref`: a proxy has no access to private members. */
function rawChildrenSource(vertex: Vertex): Source<readonly Vertex[]> {
  const { get, subscribe } = childrenSource(vertex);
  const rawGet = (): readonly Vertex[] => {
    const children = get();
    for (const child of children) markRaw(child);
    return children;
  };
  return { get: rawGet, subscribe };
}

/** The value of a source until the scope ends, and of another source as soon as `of` is another object. */
function useSource<K extends object, T>(
  of: MaybeRefOrGetter<K | undefined>,
  sourceOf: (key: K) => Source<T>,
  otherwise: T,
): Readonly<ShallowRef<T>> {
  const value = shallowRef(otherwise) as ShallowRef<T>;
  watch(
    () => toRaw(toValue(of)),
    (key, _former, onCleanup) => {
      const source = key && sourceOf(key);
      const update = (): void => void (value.value = source ? source.get() : otherwise);
      if (source) onCleanup(source.subscribe(update));
      update();
    },
    { immediate: true, flush: "sync" },
  );
  return shallowReadonly(value);
}
