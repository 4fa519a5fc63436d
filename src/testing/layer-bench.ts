import type { IncomingChange, LayerSession, PersistenceLayer } from "../layers/persistence-layer.ts";
import { encodeLine } from "../log/line.ts";
import { newId, type JsonValue, type VertexOperation } from "../tree/index.ts";

/** A storage to test layers on, fresh for every test. */
export interface LayerSetup {
  readonly spaceId: string;
  /**
   * Makes a new layer object on the same storage, as another process or the next start of the application would.
   * @param spaceId another one than the setup's where a test asks for it
   */
  createLayer(spaceId?: string): PersistenceLayer;
  /** Whether storage that nobody made is simply empty and that of another space lies beside it, as in a browser's database. */
  readonly isAlwaysThere?: boolean;
  /** Empties the storage, where that is possible from outside. Called while no layer is connected. */
  wipe?(): Promise<void>;
  teardown?(): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** Waits until something is so. @param what is waited for, for the message of a failure */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited ${DEADLINE_MS} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Makes operations of one peer with rising counters. */
export class TestPeer {
  readonly id: string;
  #counter: number;

  /** @param firstCounter above which it counts */
  constructor(id: string = newId(), firstCounter = 0) {
    this.id = id;
    this.#counter = firstCounter;
  }

  move(targetId: string, parentId: string | null): VertexOperation {
    return { id: { counter: ++this.#counter, peerId: this.id }, targetId, parentId };
  }

  set(value: JsonValue | undefined, key = "text", targetId = "vertex"): VertexOperation {
    return { id: { counter: ++this.#counter, peerId: this.id }, targetId, key, value, transient: false };
  }

  setMany(count: number): VertexOperation[] {
    return Array.from({ length: count }, (_, index) => this.set(index));
  }
}

/** Operations as a set that can be compared: without order, each once, `{}` and "removed" told apart. */
export function asSet(ops: readonly VertexOperation[]): string[] {
  return [...new Set(asList(ops))];
}

/** As {@link asSet}, with repetitions. */
export function asList(ops: readonly VertexOperation[]): string[] {
  return ops.map((op) => `${op.id.peerId} ${encodeLine(op)}`).sort();
}

/** Notes what a layer tells of. */
export class Inbox {
  readonly changes: IncomingChange[] = [];
  readonly listener = (change: IncomingChange): void => void this.changes.push(change);

  opsOf(treeId: string): VertexOperation[] {
    return this.changes.flatMap((change) => (change.treeId === treeId ? (change.ops ?? []) : []));
  }

  /** Ids of trees that changed and whose operations were left where they are. */
  get unloaded(): string[] {
    return this.changes.filter((change) => change.ops === undefined && !change.isLossy).map((change) => change.treeId);
  }
}

/** A storage and the layers that a test has made on it. */
export class LayerBench {
  readonly spaceId: string;
  readonly isAlwaysThere: boolean;
  readonly wipe: (() => Promise<void>) | undefined;
  readonly #setup: LayerSetup;
  readonly #layers: PersistenceLayer[] = [];

  constructor(setup: LayerSetup) {
    this.spaceId = setup.spaceId;
    this.isAlwaysThere = setup.isAlwaysThere ?? false;
    this.wipe = setup.wipe?.bind(setup);
    this.#setup = setup;
  }

  layer(spaceId?: string): PersistenceLayer {
    const layer = spaceId === undefined ? this.#setup.createLayer() : this.#setup.createLayer(spaceId);
    this.#layers.push(layer);
    return layer;
  }

  /** A new layer, connected, on a storage that is made if it is not there. */
  async connected(session: Partial<LayerSession> = {}): Promise<PersistenceLayer> {
    const layer = this.layer();
    await layer.connect({ peerId: newId(), create: true, ...session });
    return layer;
  }

  /** What a layer that has nothing to do with the others finds. */
  async stored(treeId: string): Promise<string[]> {
    const layer = this.layer();
    await layer.connect({ peerId: newId() });
    const ops = await layer.loadTreeOps(treeId);
    await layer.disconnect();
    return asSet(ops);
  }

  async tearDown(): Promise<void> {
    for (const layer of this.#layers) await layer.disconnect();
    await this.#setup.teardown?.();
  }
}
