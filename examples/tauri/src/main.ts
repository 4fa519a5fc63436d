import { open } from "@tauri-apps/plugin-dialog";
import { FileSystemPersistenceLayer, newId, readSpaceId, SpaceManager, type Space, type Vertex } from "foldspace";
import { IndexedDBPersistenceLayer } from "foldspace/indexeddb";
import { TauriFileSystem } from "foldspace/tauri";

const fs = new TauriFileSystem();
const openButton = document.querySelector<HTMLButtonElement>("#open")!;
const form = document.querySelector<HTMLFormElement>("#new")!;
const items = document.querySelector<HTMLUListElement>("#items")!;
const status = document.querySelector<HTMLParagraphElement>("#status")!;

openButton.onclick = async () => {
  try {
    const path = await open({ directory: true, recursive: true });
    if (path === null) return;
    show(await openSpace(path));
    openButton.hidden = true;
    form.hidden = false;
  } catch (error) {
    status.textContent = `The folder cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
  }
};

/** Opens the space of the folder in two layers, or makes it. The webview's database is fast, and the folder is what is synced. */
async function openSpace(path: string): Promise<Space> {
  const id = (await readSpaceId(path, fs)) ?? newId();
  const folder = new FileSystemPersistenceLayer(path, id, { id: "Folder", fs });
  return await new SpaceManager().openOrCreate({
    id,
    name: "Notes",
    persistenceLayers: [folder, new IndexedDBPersistenceLayer(id, { id: "IndexedDB" })],
  });
}

function show(space: Space): void {
  const list = space.tree.getOrCreate("list", space.tree.root!);
  list.observeChildren((children) => items.replaceChildren(...children.map(row)));
  form.onsubmit = (event) => {
    event.preventDefault();
    list.newNamedChild(String(new FormData(form).get("text")));
    form.reset();
  };
  space.observeStatus(({ layers }) => {
    status.textContent = layers.map((layer) => `${layer.id}: ${layer.error?.message ?? layer.state}`).join(", ");
  });
}

function row(item: Vertex): HTMLLIElement {
  return Object.assign(document.createElement("li"), { textContent: item.name ?? "" });
}
