import { ReplicatedTree } from "foldspace/tree";
import { OutlineEditor } from "./editing.ts";
import { isSet, DONE_KEY, siblingsUnder, textOf } from "./item.ts";
import { nodesFromLines } from "./pasted-lines.ts";
import { Outline } from "./outline.ts";

// Pages for tests: drawn as indented lines, open on one device or on several.

export class Device {
  readonly tree: ReplicatedTree;
  readonly outline: Outline;
  readonly editor: OutlineEditor;
  /** Milliseconds since the epoch, as the editor sees it. */
  now = 0;

  constructor(tree: ReplicatedTree) {
    this.tree = tree;
    this.outline = new Outline(tree);
    this.editor = new OutlineEditor(this.outline, { now: () => this.now });
  }

  /** The visible rows, two spaces to a level; `+` marks a collapsed item, `x` a done one. */
  get drawn(): string[] {
    return this.outline.rows.map(
      (row) => `${"  ".repeat(row.depth)}${row.text}${row.isCollapsed ? " +" : ""}${row.isDone ? " x" : ""}`,
    );
  }

  /** Id of the visible item with this text. */
  id(text: string): string {
    const row = this.outline.rows.find((each) => each.text === text);
    if (!row) throw new Error(`There is no row ${JSON.stringify(text)} in ${JSON.stringify(this.drawn)}`);
    return row.id;
  }

  /** Sets texts as if they were typed, with pauses in between. */
  type(id: string, ...texts: string[]): void {
    for (const text of texts) {
      this.now += 100;
      this.editor.setText(id, text);
    }
    this.now += 10_000;
  }
}

/** A page on one device. @param lines items, indented by their depth */
export function newPage(lines: readonly string[], peerId = "a"): Device {
  const tree = new ReplicatedTree(peerId);
  tree.createRoot("page");
  const setUp = new Device(tree);
  setUp.editor.insertNodes("page", nodesFromLines(lines.join("\n")));
  setUp.editor.close();
  setUp.outline.close();
  return new Device(tree);
}

export function alsoOn(device: Device, peerId: string): Device {
  return new Device(device.tree.replicate(peerId));
}

/** Sends all operations of each device to all others. */
export function sync(...devices: readonly Device[]): void {
  const ops = devices.flatMap(({ tree }) => tree.getAllOps());
  for (const { tree } of devices) tree.merge(ops);
}

/** Waits until observers have been notified. */
export async function notified(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** The expected rows, computed in the simplest way. */
export function plainRows(tree: ReplicatedTree, rootId: string, depth = 0): unknown[] {
  const siblings = siblingsUnder(tree, rootId);
  return siblings.flatMap(({ id }, index) => {
    const isCollapsed = isSet(tree, id, "collapsed");
    const row = {
      id,
      depth,
      text: textOf(tree, id),
      isDone: isSet(tree, id, DONE_KEY),
      isCollapsed,
      hasChildren: tree.getChildrenIds(id).length > 0,
      parentId: rootId,
      position: index + 1,
      siblingCount: siblings.length,
    };
    return [row, ...(isCollapsed ? [] : plainRows(tree, id, depth + 1))];
  });
}
