import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import type { MemoryStore } from "../../src/layers/memory-layer.ts";
import type { Space } from "../../src/space/space.ts";
import { newId, type VertexOperation } from "../../src/tree/index.ts";
import { shownTree } from "../oracle/histories.ts";
import type { Device } from "./device.ts";
import { entryOf, idOf, type Ledger } from "./ledger.ts";
import { FOLDER } from "./place.ts";
import type { Session } from "./session.ts";

const MOST_SHOWN = 3;
/** Codes of problems that end with the faults of calls. */
const PASSING: ReadonlySet<string> = new Set(["FOLD_TIMEOUT", "FOLD_BUSY", "FOLD_IO", "FOLD_PERMISSION", "FOLD_FOLDER_LOST"]);

/**
 * Tells in what devices that have come to rest differ from what has to hold: all layers and all devices have the same
 * operations and the same trees, nothing that was acknowledged is missing, and nothing is there that nobody made.
 */
export async function findViolations(spaceId: string, devices: readonly Device[], ledger: Ledger): Promise<string[]> {
  const violations: string[] = [];
  const holdings = new Map<string, Holding>();
  for (const device of devices) {
    holdings.set(`${device.name}'s folder`, await holdingOfFolder(device.disk, spaceId));
    holdings.set(
      `${device.name}'s store`,
      new Holding(device.store.treeIds.map((treeId) => [treeId, device.store.read(treeId)])),
    );
    for (const [number, tab] of device.tabs.entries()) {
      if (tab?.session) holdings.set(`${tab.name}'s trees`, await holdingOfSpace(tab.session.space, device.store));
      else violations.push(`${device.name} cannot open the space in tab ${number}`);
    }
  }
  const [first, ...others] = [...holdings];
  if (!first) return violations;
  for (const [name, holding] of others) {
    compare(`in ${first[0]} and not in ${name}`, first[1].ids, holding.ids, violations);
    compare(`in ${name} and not in ${first[0]}`, holding.ids, first[1].ids, violations);
  }
  for (const [name, holding] of holdings) {
    const invented = [...holding.entries].filter((entry) => !ledger.issued.has(entry));
    if (invented.length > 0) violations.push(`${invented.length} operations in ${name} were made by nobody: ${some(invented)}`);
    const lost = [...ledger.acknowledged.keys()].filter((entry) => !holding.entries.has(entry) && !ledger.isContested(entry));
    if (lost.length > 0)
      violations.push(
        `${lost.length} operations are not in ${name}: ${some(lost.map((entry) => `${entry} (${ledger.acknowledged.get(entry)})`))}`,
      );
  }
  const shown = [...holdings].filter(([name]) => name.endsWith("trees"));
  for (const [name, { trees }] of shown) {
    for (const [treeId, text] of shown[0]![1].trees) {
      if (trees.get(treeId) !== text) violations.push(`tree ${treeId} differs in ${shown[0]![0]} and ${name}`);
    }
  }
  return violations;
}

/** Finds faults that a space still reports, in its layers' states or as problems, although all have ended. */
export function findPastFaults({ name, space }: Session): string[] {
  const layers = space.status.layers.filter(({ error }) => error !== undefined);
  const problems = space.problems.filter(({ code }) => PASSING.has(code));
  return [
    ...layers.map(({ id, error }) => `${name}'s ${id} still fails: ${error!.message}`),
    ...problems.map(({ code, file, reason }) => `${name} still has the problem ${code}: ${file ?? "the space"} ${reason}`),
  ];
}

/** Operations that are in one place. */
class Holding {
  readonly ids: Set<string> = new Set();
  readonly entries: Set<string> = new Set();
  /** What loaded trees show. */
  readonly trees: Map<string, string> = new Map();

  constructor(trees: readonly (readonly [string, readonly VertexOperation[]])[]) {
    for (const [treeId, ops] of trees) this.add(treeId, ops);
  }

  add(treeId: string, ops: readonly VertexOperation[], shown?: string): void {
    for (const op of ops) {
      this.ids.add(`${treeId} ${idOf(op)}`);
      this.entries.add(entryOf(treeId, op));
    }
    if (shown !== undefined) this.trees.set(treeId, shown);
  }
}

async function holdingOfSpace(space: Space, store: MemoryStore): Promise<Holding> {
  const trees = new Holding([]);
  for (const treeId of await space.listTrees()) {
    const stored = store.read(treeId);
    // of one that was torn when it was made, and cannot be shown
    if (!stored.some((op) => op.targetId === treeId && "parentId" in op)) trees.add(treeId, stored);
    else {
      const { tree } = treeId === space.id ? space : await space.loadAppTree(treeId);
      trees.add(treeId, tree.getAllOps(), JSON.stringify(shownTree(tree)));
    }
  }
  return trees;
}

async function holdingOfFolder(disk: MemoryFileSystem, spaceId: string): Promise<Holding> {
  const layer = new FileSystemPersistenceLayer(FOLDER, spaceId, { fs: disk });
  await layer.connect({ peerId: newId(), isReadOnly: true });
  const holding = new Holding([]);
  for (const treeId of await layer.listTrees()) holding.add(treeId, await layer.loadTreeOps(treeId));
  await layer.disconnect();
  return holding;
}

function compare(what: string, these: ReadonlySet<string>, those: ReadonlySet<string>, violations: string[]): void {
  const missing = [...these].filter((id) => !those.has(id));
  if (missing.length > 0) violations.push(`${missing.length} operations ${what}: ${some(missing)}`);
}

function some(items: readonly string[]): string {
  return items.slice(0, MOST_SHOWN).join(", ") + (items.length > MOST_SHOWN ? ", …" : "");
}
