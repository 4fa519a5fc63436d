import type { IncomingChange, LayerSession, PersistenceLayer } from "../layers/persistence-layer.ts";
import { encodeLine } from "../log/line.ts";
import { newId, type JsonValue, type VertexOperation } from "../tree/index.ts";

/** Storage to test layers on, new for each test. */
export interface LayerSetup {
  readonly spaceId: string;
  /**
   * Makes a new layer object on the same storage, as another process or the next start of the application would.
   * @param spaceId differs from the setup's if a test needs another space
   */
  createLayer(spaceId?: string): PersistenceLayer;
  /** Whether missing storage counts as empty storage, and spaces lie side by side, as in a browser's database. */
  readonly isAlwaysThere?: boolean;
  /** Empties the storage from outside, if that is possible. Called while no layer is connected. */
  wipe?(): Promise<void>;
  /** Called after each test, when all its layers are disconnected. */
  teardown?(): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** Waits until a condition holds. @param what the condition, for the message of a failure */
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

/** Operations as a set for comparison: unordered, without duplicates, with `{}` and "removed" distinguished. */
export function asSet(ops: readonly VertexOperation[]): string[] {
  return [...new Set(asList(ops))];
}

/** Like {@link asSet}, with duplicates. */
export function asList(ops: readonly VertexOperation[]): string[] {
  return ops.map((op) => `${op.id.peerId} ${encodeLine(op)}`).sort();
}

/** Records the changes that a layer reports. */
export class Inbox {
  readonly changes: IncomingChange[] = [];
  readonly listener = (change: IncomingChange): void => void this.changes.push(change);

  opsOf(treeId: string): VertexOperation[] {
    return this.changes.flatMap((change) => (change.treeId === treeId ? (change.ops ?? []) : []));
  }

  /** Ids of trees that changed and whose operations were not delivered. */
  get unloaded(): string[] {
    return this.changes.filter((change) => change.ops === undefined && !change.isLossy).map((change) => change.treeId);
  }
}

/** A storage and the layers that a test has made on it. */
export class LayerBench {
  readonly spaceId: string;
  readonly isAlwaysThere: boolean;
  readonly wipe: (() => Promise<void>) | undefined;
  /** Ends the test, which does not apply to the layer. @param reason a clause */
  readonly skip: (reason: string) => never;
  readonly #setup: LayerSetup;
  readonly #layers: PersistenceLayer[] = [];

  /** @param skip ends the test, which does not apply to the layer */
  constructor(setup: LayerSetup, skip: (reason: string) => never) {
    this.skip = skip;
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

  /** Connects a new layer, which creates the storage if it is missing. */
  async connected(session: Partial<LayerSession> = {}): Promise<PersistenceLayer> {
    const layer = this.layer();
    await layer.connect({ peerId: newId(), create: true, ...session });
    return layer;
  }

  /** The operations that a new, independent layer loads. */
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
