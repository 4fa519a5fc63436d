import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.FOLDSPACE_PEERS, "package.json"));

/** A package of the folder in which the benchmark has installed the peers. */
export async function importPeer(name) {
  return await import(pathToFileURL(require.resolve(name)).href);
}
