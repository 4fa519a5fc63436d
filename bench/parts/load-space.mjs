// A separate process: opens the space of a folder, reads the root, and prints the number of operations.
// node load-space.mjs FOLDER

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FileSystemPersistenceLayer, SpaceManager } from "../../dist/index.js";
import { NodeFileSystem } from "../../dist/fs/node/index.js";

const folder = process.argv[2];
const { id } = JSON.parse(readFileSync(join(folder, "space-v1", "space.json"), "utf8"));
const layer = new FileSystemPersistenceLayer(folder, id, { fs: new NodeFileSystem() });
const space = await new SpaceManager().loadSpace({ id }, [layer]);
console.log(space.tree.root ? space.tree.opCount : 0);
// the rest of a session does not count
process.exit();
