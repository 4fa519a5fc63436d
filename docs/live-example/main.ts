// The live example of the site: a list in two layers, IndexedDB and a folder of the browser's own storage, and the files of that folder.
import { FileSystemPersistenceLayer, SpaceManager, type FileSystem, type Vertex } from "foldspace";
import { IndexedDBPersistenceLayer } from "foldspace/indexeddb";
import { childrenSource } from "foldspace/live";
import { openPrivateFolder, WebFileSystem } from "foldspace/web";

const id = "live-example";
const section = document.querySelector<HTMLElement>("#live-example")!;

try {
  const fs = new WebFileSystem(await openPrivateFolder("foldspace-live-example"));
  const space = await new SpaceManager({ peerPool: "device" }).openOrCreate({
    id,
    name: "Live example",
    persistenceLayers: [
      new IndexedDBPersistenceLayer(id, { id: "IndexedDB" }),
      new FileSystemPersistenceLayer("", id, { id: "Folder", fs }),
    ],
  });
  const list = space.tree.getOrCreate("list", space.tree.root!);

  const items = element("ul");
  const rows = new Map<string, Row>();
  const children = childrenSource(list);
  const update = (): void => {
    const lines = children.get().map((child) => {
      const row = rows.get(child.id) ?? makeRow(child);
      rows.set(child.id, row);
      // one that is typed into has the text already, and keeps its caret
      if (row.field.value !== child.name) row.field.value = child.name ?? "";
      return row.line;
    });
    for (const line of [...items.children]) if (!lines.includes(line)) line.remove();
    // moves no line that is in its place, because that would take the caret out of it
    for (const [index, line] of lines.entries())
      if (items.children[index] !== line) items.insertBefore(line, items.children[index] ?? null);
  };
  // called during each edit that is made here
  children.subscribe(update);
  update();

  const add = element("button", { type: "button", textContent: "Add" });
  add.addEventListener("click", () => {
    const item = list.newNamedChild("");
    rows.get(item.id)?.field.focus();
  });

  const state = element("p", { role: "status" });
  const files = element("pre", { ariaLabel: "Files of the folder" });
  const show = async (): Promise<void> => {
    state.textContent = space.status.layers.map((layer) => `${layer.id}: ${layer.error?.message ?? layer.state}`).join(", ");
    files.textContent = await describeFiles(fs);
  };
  space.observeStatus(() => void show());
  section.replaceChildren(items, add, state, files);
  await show();
} catch (error) {
  section.textContent = `The example cannot run in this browser: ${String(error)}`;
}

interface Row {
  readonly line: Element;
  readonly field: HTMLInputElement;
}

function makeRow(item: Vertex): Row {
  const field = element("input", { ariaLabel: "Item" });
  field.addEventListener("input", () => (item.name = field.value));
  const remove = element("button", { type: "button", textContent: "Delete" });
  remove.addEventListener("click", () => item.delete());
  const line = element("li");
  line.append(field, remove);
  return { line, field };
}

/** The paths of all logs, and the latest lines in them. */
async function describeFiles(fs: FileSystem, path: string = "space-v1/ops"): Promise<string> {
  const texts = [];
  for (const { name, kind } of (await fs.list(path)) ?? []) {
    const below = `${path}/${name}`;
    if (kind === "directory") texts.push(await describeFiles(fs, below));
    else if (name.endsWith(".jsonl")) {
      const lines = new TextDecoder()
        .decode(await fs.read(below))
        .trimEnd()
        .split("\n");
      texts.push([below, ...lines.slice(-8).map((line) => `    ${line}`)].join("\n"));
    }
  }
  return texts.filter((text) => text !== "").join("\n");
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(tag), properties);
}
