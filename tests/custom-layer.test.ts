import {
  assertStorable,
  Batcher,
  describeLayer,
  FoldspaceError,
  newId,
  ObservedLayer,
  opIdToString,
  SpaceManager,
  systemClock,
  type LayerSession,
  type PersistenceLayer,
  type VertexOperation,
} from "../src/index.ts";
import { testPersistenceLayer } from "../src/testing/index.ts";
import { expect, test } from "vitest";

type Shelf = Map<string, Map<string, VertexOperation>>;

/** A layer with no more than the contract requires, made of what the package exports. Missing storage counts as empty. */
class ShelfLayer extends ObservedLayer implements PersistenceLayer {
  readonly id = "shelf";
  override readonly label = "the shelf";
  readonly type = "local";
  readonly supportsIncomingSync = false;
  readonly spaceId: string;
  readonly #shelf: Shelf;
  #batcher: Batcher | undefined;

  constructor(spaceId: string, shelf: Shelf) {
    super();
    this.spaceId = spaceId;
    this.#shelf = shelf;
  }

  async connect(_session?: LayerSession): Promise<void> {
    await this.connectInTurn(async () => {
      if (this.#batcher) return;
      const write = async (treeId: string, ops: readonly VertexOperation[]): Promise<void> => {
        const tree = this.#shelf.get(this.#nameOf(treeId)) ?? new Map<string, VertexOperation>();
        this.#shelf.set(this.#nameOf(treeId), tree);
        for (const op of ops) tree.set(opIdToString(op.id), op);
      };
      this.#batcher = new Batcher(write, { flushIntervalMs: 10 }, systemClock);
      this.currentStatus.value = this.#batcher.status.value;
      this.#batcher.status.observe((status) => (this.currentStatus.value = status));
    });
  }

  async disconnect(): Promise<void> {
    await this.disconnectInTurn(async () => {
      const batcher = this.#batcher;
      this.#batcher = undefined;
      if (!batcher) return;
      await batcher.close();
      this.currentStatus.value = { ...batcher.status.value, state: "offline" };
    });
  }

  isConnected(): boolean {
    return this.#batcher !== undefined;
  }

  async listTrees(): Promise<string[]> {
    this.#connected();
    const prefix = this.#nameOf("");
    return [...this.#shelf.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    this.#connected();
    return [...(this.#shelf.get(this.#nameOf(treeId))?.values() ?? [])];
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const batcher = this.#connected();
    assertStorable(ops);
    await batcher.add(treeId, ops);
  }

  async flush(): Promise<void> {
    await this.#batcher?.flush();
  }

  #nameOf(treeId: string): string {
    return `${this.spaceId}/${treeId}`;
  }

  #connected(): Batcher {
    if (this.#batcher) return this.#batcher;
    throw new FoldspaceError("FOLD_CLOSED", `${describeLayer(this)} is not connected`);
  }
}

testPersistenceLayer("a layer without optional methods", () => {
  const shelf: Shelf = new Map();
  const spaceId = newId();
  return { spaceId, isAlwaysThere: true, createLayer: (id = spaceId) => new ShelfLayer(id, shelf) };
});

test("a space is kept in a layer without optional methods", async () => {
  const shelf: Shelf = new Map();
  const open = async (): Promise<ReturnType<SpaceManager["openOrCreate"]>> => {
    return new SpaceManager().openOrCreate({ id: "notes", persistenceLayers: [new ShelfLayer("notes", shelf)] });
  };
  const first = await open();
  first.tree.root!.newNamedChild("Milk");
  await first.close();
  const second = await open();
  expect(second.tree.root!.children.map(({ name }) => name)).toContain("Milk");
  await second.close();
});
