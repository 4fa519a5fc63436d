import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import type { OpenOrCreateOptions, SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import { onePerKey, type Source } from "./source.ts";

/** The space to open, or to create if no layer has it. */
export interface LiveSpaceOptions extends Omit<OpenOrCreateOptions, "id" | "persistenceLayers" | "signal"> {
  readonly id: string;
  /** Makes new layers for each opening, because a layer belongs to one open space. */
  readonly layers: () => readonly PersistenceLayer[];
}

/** A space while it is opened and used. */
export type SpaceState =
  | { readonly space: undefined; readonly error: undefined }
  | { readonly space: Space; readonly error: undefined }
  /** It could not be opened; the next first user tries again. */
  | { readonly space: undefined; readonly error: unknown };

/** The state before opening, and on a server that renders pages. */
export const UNOPENED: SpaceState = { space: undefined, error: undefined };

/**
 * For how long a space without users stays open. A framework may take a component off and put it on again, as React's StrictMode
 * and changes of a route do.
 */
const LINGER_MS = 1_000;

/** A space that is open while it has subscribers, and shortly after. */
export class LiveSpace implements Source<SpaceState> {
  readonly #manager: SpaceManager;
  readonly #options: LiveSpaceOptions;
  readonly #onClosed: (closed: LiveSpace) => void;
  readonly #listeners = new Set<() => void>();
  #state: SpaceState = UNOPENED;
  #opened: Promise<Space> | undefined;
  #cancelClosing: (() => void) | undefined;

  constructor(manager: SpaceManager, options: LiveSpaceOptions, onClosed: (closed: LiveSpace) => void) {
    this.#manager = manager;
    this.#options = options;
    this.#onClosed = onClosed;
  }

  /** Settles with the opening, which begins now if it has not. If no user subscribes, the space is closed again. */
  get opened(): Promise<Space> {
    if (!this.#opened) {
      const { layers, ...options } = this.#options;
      // a factory that throws is a failure of opening, too
      this.#opened = (async () => await this.#manager.openOrCreate({ ...options, persistenceLayers: layers() }))();
      this.#opened.then(
        (space) => this.#become({ space, error: undefined }),
        (error: unknown) => this.#become({ space: undefined, error }),
      );
    }
    return this.#opened;
  }

  readonly get = (): SpaceState => this.#state;

  readonly subscribe = (onChange: () => void): (() => void) => {
    const own = (): void => onChange();
    this.#listeners.add(own);
    this.#cancelClosing?.();
    // its outcome is in the state
    this.opened.catch(() => undefined);
    return () => {
      if (this.#listeners.delete(own)) this.#closeIfUnused();
    };
  };

  #become(state: SpaceState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#listeners.size > 0 || this.#state === UNOPENED) return;
    this.#cancelClosing?.();
    const timer = setTimeout(() => this.#close(), LINGER_MS);
    this.#cancelClosing = () => clearTimeout(timer);
  }

  /** Operations that cannot be saved surface as an unhandled rejection, because no caller waits for it. */
  #close(): void {
    this.#onClosed(this);
    const { space } = this.#state;
    // a component that was rendered before may still subscribe: it opens the space again
    this.#state = UNOPENED;
    this.#opened = undefined;
    if (space) void this.#manager.closeSpace(this.#options.id);
  }
}

const spacesOf: (manager: SpaceManager) => Map<string, LiveSpace> = onePerKey(() => new Map<string, LiveSpace>());

/**
 * The space of an id, as components of a framework use it: opened or made with its first subscriber, and closed, as one holder of
 * the manager's space, about a second after the last one.
 */
export function liveSpace(manager: SpaceManager, options: LiveSpaceOptions): LiveSpace {
  const spaces = spacesOf(manager);
  const known = spaces.get(options.id);
  if (known) return known;
  const made = new LiveSpace(manager, options, (closed) => {
    if (spaces.get(options.id) === closed) spaces.delete(options.id);
  });
  spaces.set(options.id, made);
  return made;
}
