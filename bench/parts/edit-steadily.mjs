// A separate process: opens the space of a folder and edits it at a steady pace. Each edit contains the time when it was made.
// node edit-steadily.mjs FOLDER COUNT PAUSE_MS

import { setTimeout as sleep } from "node:timers/promises";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileSystemPersistenceLayer, SpaceManager } from "../../dist/index.js";
import { NodeFileSystem } from "../../dist/fs/node/index.js";

const [folder, count, pauseMs] = process.argv.slice(2);
const { id } = JSON.parse(await readFile(join(folder, "space-v1", "space.json"), "utf8"));
const layer = new FileSystemPersistenceLayer(folder, id, { fs: new NodeFileSystem() });
const space = await new SpaceManager().loadSpace({ id }, [layer]);
for (let edit = 0; edit < Number(count); edit++) {
  space.tree.root.setProperty("edit", { edit, madeAt: Date.now() });
  await sleep(Number(pauseMs));
}
await space.close();
