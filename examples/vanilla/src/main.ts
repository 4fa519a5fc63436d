import { FileSystemPersistenceLayer, SpaceManager, type Vertex } from "foldspace";
import { IndexedDBPersistenceLayer } from "foldspace/indexeddb";
import { pickFolder, recallFolder, rememberFolder, requestAccess, WebFileSystem } from "foldspace/web";

const id = "groceries";
const space = await new SpaceManager().openOrCreate({
  id,
  name: "Groceries",
  persistenceLayers: [new IndexedDBPersistenceLayer(id, { id: "IndexedDB" })],
});

const list = space.tree.getOrCreate("list", space.tree.root!);
const items = document.querySelector<HTMLUListElement>("#items")!;
// called now, and for each change: of this page, of other tabs and of other devices
list.observeChildren((children) => items.replaceChildren(...children.map(row)));

function row(item: Vertex): HTMLLIElement {
  const done = Object.assign(document.createElement("input"), { type: "checkbox", checked: item.getProperty("done") === true });
  done.onchange = () => item.setProperty("done", done.checked);
  const label = document.createElement("label");
  label.append(done, item.name ?? "");
  const remove = Object.assign(document.createElement("button"), { textContent: "Delete", onclick: () => item.delete() });
  const line = document.createElement("li");
  line.append(label, " ", remove);
  return line;
}

const form = document.querySelector<HTMLFormElement>("#new")!;
form.onsubmit = (event) => {
  event.preventDefault();
  list.newNamedChild(String(new FormData(form).get("text")));
  form.reset();
};

// The folder is the second layer. The browser asks for permission at each visit, and only while a click is handled.
const folderButton = document.querySelector<HTMLButtonElement>("#folder")!;
folderButton.onclick = async () => {
  const known = await recallFolder(id);
  const folder = known && (await requestAccess(known)) === "granted" ? known : await pickFolder();
  if (!folder) return;
  await space.addLayer(new FileSystemPersistenceLayer("", id, { id: "Folder", fs: new WebFileSystem(folder) }), { create: true });
  await rememberFolder(id, folder);
  folderButton.hidden = true;
};

const status = document.querySelector<HTMLParagraphElement>("#status")!;
space.observeStatus(({ layers }) => {
  status.textContent = layers.map((layer) => `${layer.id}: ${layer.error?.message ?? layer.state}`).join(", ");
});
