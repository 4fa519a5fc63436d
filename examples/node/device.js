// One device: prints the list whenever it changes, and adds each line that you type. It ends with its input (Ctrl+D).
//
// node device.js [folder]
import { createInterface } from "node:readline";
import { FileSystemPersistenceLayer, SpaceManager } from "foldspace";

const [, , folder = "groceries"] = process.argv;
const space = await new SpaceManager().openOrCreate({
  // an id that all devices know, so that each of them may be the first
  id: "groceries",
  name: "Groceries",
  persistenceLayers: [new FileSystemPersistenceLayer(folder, "groceries")],
});
const list = space.tree.getOrCreate("list", space.tree.root);
list.observeChildren((items) => console.log(`The list: ${items.map(({ name }) => name).join(", ")}`));

for await (const line of createInterface({ input: process.stdin })) list.newNamedChild(line);
await space.close();
