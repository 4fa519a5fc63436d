// A separate process: opens the space of a folder, reads the root, and prints the number of operations.
// node load-space.mjs FOLDER [CACHE [keep]]
//
// With a folder for snapshots, the space is opened from the snapshot there; with `keep`, it is closed, which keeps one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FileSystemPersistenceLayer, FolderSnapshots, SpaceManager } from "../../dist/index.js";
import { NodeFileSystem } from "../../dist/fs/node/index.js";

const [folder, cache, keep] = process.argv.slice(2);
const { id } = JSON.parse(readFileSync(join(folder, "space-v1", "space.json"), "utf8"));
const fs = new NodeFileSystem();
const layer = new FileSystemPersistenceLayer(folder, id, { fs });
const snapshots = cache && new FolderSnapshots(fs, cache);
const space = await new SpaceManager().loadSpace({ id }, [layer], snapshots ? { snapshots } : {});
console.log(space.tree.root ? space.tree.opCount : 0);
if (keep) await space.close();
// the rest of a session does not count
process.exit();
