// A walk through foldspace in the terminal: two devices, one folder, edits at the same time, and what is on disk.
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FileSystemPersistenceLayer, newId, SpaceManager } from "foldspace";
import { NodeFileSystem } from "foldspace/node";
import pc from "picocolors";

const folder = await mkdtemp(join(tmpdir(), "foldspace-demo-"));
const spaceId = newId();

heading("A new space in a plain folder");
say(`folder: ${folder}`);
const laptop = await device("create");
const groceries = laptop.tree.root.newNamedChild("Groceries");
const milk = groceries.newNamedChild("Milk");
groceries.newNamedChild("Bread");
await laptop.flush();
show("laptop", laptop);

heading("A second device opens the same folder");
const phone = await device("load");
show("phone", phone);

heading("Both edit at the same time");
say("laptop: renames Milk to “Oat milk” and adds Apples");
milk.name = "Oat milk";
groceries.newNamedChild("Apples");
say("phone:  moves Milk into a new list “Drinks” and ticks Bread off");
const drinks = phone.tree.root.newNamedChild("Drinks");
phone.tree.moveVertex(milk.id, drinks.id);
phone.tree.getVertexByPath("/Groceries/Bread").setProperty("done", true);
const before = Date.now();
await Promise.all([laptop.flush(), phone.flush()]);
await converge();
say(pc.green(`both hold the same ${laptop.tree.opCount} operations ${Date.now() - before} ms after the edits were saved`));
show("laptop", laptop);
show("phone", phone);

heading("A deletion against an edit of what is deleted");
say("laptop: deletes Groceries        phone: renames Bread to “Rye bread”, then takes it out");
laptop.tree.deleteVertex(groceries.id);
const bread = phone.tree.getVertexByPath("/Groceries/Bread");
bread.name = "Rye bread";
bread.moveTo(drinks);
await Promise.all([laptop.flush(), phone.flush()]);
await converge();
show("laptop", laptop);
show("phone", phone);

heading("What is on disk");
for (const path of await files(folder)) {
  const text = await readFile(path, "utf8");
  const lines = text.trimEnd().split("\n");
  console.log(`  ${pc.cyan(relative(folder, path))} ${pc.dim(`${text.length} bytes`)}`);
  const shown = path.endsWith(".jsonl") ? lines.slice(-3) : path.endsWith(".json") ? lines : [];
  for (const line of shown) console.log(pc.dim(`    ${line}`));
}

await Promise.all([laptop.close(), phone.close()]);
heading("Go on by yourself");
say("The folder stays where it is. Look at it with");
for (const command of ["info", "tree", "log", "verify", "watch"]) say(pc.cyan(`npx foldspace ${command} ${folder}`));

async function device(how) {
  const layer = new FileSystemPersistenceLayer(folder, spaceId, { fs: new NodeFileSystem(), flushIntervalMs: 100 });
  const manager = new SpaceManager();
  if (how === "load") return await manager.loadSpace({ id: spaceId }, [layer]);
  return await manager.createSpace({ id: spaceId, name: "Home", persistenceLayers: [layer] });
}

async function converge() {
  const deadline = Date.now() + 10_000;
  while (laptop.tree.opCount !== phone.tree.opCount || !laptop.tree.compareStructure(phone.tree)) {
    if (Date.now() > deadline) throw new Error("The devices did not converge within 10 s");
    await sleep(5);
  }
}

async function files(directory) {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function show(name, space) {
  console.log(`  ${pc.bold(name)}`);
  const print = (vertex, indent) => {
    if (vertex.name === "app-forest") return;
    const done = vertex.getProperty("done") === true ? " ✓" : "";
    console.log(`    ${indent}${indent === "" ? "" : "• "}${vertex.name}${done}`);
    for (const child of vertex.children) print(child, `${indent}  `);
  };
  print(space.tree.root, "");
}

function heading(text) {
  console.log(`\n${pc.bold(pc.blue(text))}`);
}

function say(text) {
  console.log(`  ${text}`);
}
