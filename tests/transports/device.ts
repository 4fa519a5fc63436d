import { exportJson, FileSystemPersistenceLayer, SpaceManager, type FlushPolicy, type Space } from "../../src/index.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import type { ReplicatedTree } from "../../src/tree/index.ts";
import { Operations } from "./operations.ts";

/** An application on one side of a transport, as it is by default. */
export class Device {
  readonly folder: string;
  readonly space: Space;
  /** What was edited here. */
  readonly made: Operations = new Operations();
  /** Files that were reported as copies made by a sync service at any time. */
  readonly copiesSeen: Set<string> = new Set();
  readonly #trees = new Map<string, ReplicatedTree>();

  private constructor(folder: string, space: Space) {
    this.folder = folder;
    this.space = space;
    this.follow(space.id, space.tree);
    space.observeProblems((problems) => {
      for (const { code, file } of problems) if (code === "FOLD_CONFLICT_COPY") this.copiesSeen.add(file!);
    });
  }

  static async open(folder: string, spaceId: string, flushPolicy: Partial<FlushPolicy> = {}): Promise<Device> {
    const layer = new FileSystemPersistenceLayer(folder, spaceId, flushPolicy);
    const secrets = { argon2: WEAKEST_ARGON2 };
    return new Device(folder, await new SpaceManager({ secrets }).loadSpace({ id: spaceId }, [layer]));
  }

  /** Everything that this device shows. */
  get shown(): Operations {
    const shown = new Operations();
    for (const [treeId, tree] of this.#trees) shown.add(treeId, tree.getAllOps());
    return shown;
  }

  get treeIds(): string[] {
    return [...this.#trees.keys()];
  }

  /** What `foldspace export` would print. */
  get exported(): string {
    return `${exportJson(this.space.id, [...this.#trees])}\n`;
  }

  newAppTree(name: string): ReplicatedTree {
    const { id, tree } = this.space.newAppTree("transports", name);
    this.follow(id, tree);
    return tree;
  }

  /** Loads all app trees that the space tree names. */
  async loadAppTrees(): Promise<void> {
    for (const { treeId } of this.space.appTrees) {
      if (treeId === undefined || this.#trees.has(treeId)) continue;
      this.follow(treeId, (await this.space.loadAppTree(treeId)).tree);
    }
  }

  follow(treeId: string, tree: ReplicatedTree): void {
    this.#trees.set(treeId, tree);
    this.made.add(
      treeId,
      tree.getAllOps().filter((op) => op.id.peerId === this.space.peerId),
    );
    tree.observeOpApplied((op, isLocal) => {
      if (isLocal) this.made.add(treeId, [op]);
    });
  }

  async close(): Promise<void> {
    await this.space.close();
  }
}
