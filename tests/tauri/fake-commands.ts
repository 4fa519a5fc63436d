import { constants } from "node:fs";
import * as fsp from "node:fs/promises";
import { join } from "node:path";
import type { Call } from "./fake-tauri.ts";
import { systemCode } from "../../src/errors.ts";
import type { AppendOptions } from "../../src/fs/file-system.ts";

/** The commands of the crate `tauri-plugin-foldspace`. */
export async function foldspaceCommand(command: string, call: Call, inScope: (path: string) => boolean): Promise<unknown> {
  const path = call.args["path"] as string;
  if (command === "scan") return await scan(path, inScope);
  const flags = { sync: call.args["sync"] === "true", create: call.args["create"] !== "false" };
  return await append(path, call.body ?? new Uint8Array(), flags);
}

async function scan(root: string, inScope: (path: string) => boolean): Promise<unknown> {
  const found = { files: [] as unknown[], others: [] as string[], unreadable: [] as unknown[] };
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries;
    try {
      entries = await fsp.readdir(join(root, folder), { withFileTypes: true });
    } catch (error) {
      if (folder !== "") throw error;
      if (systemCode(error) === "ENOENT") return null;
      throw error;
    }
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory() && !entry.isFile()) found.others.push(path);
      else if (!inScope(join(root, path))) found.unreadable.push([path, `forbidden path: ${join(root, path)}`]);
      else if (entry.isDirectory()) folders.push(path);
      else {
        const { size, mtimeMs } = await fsp.lstat(join(root, path));
        found.files.push([path, size, Math.floor(mtimeMs)]);
      }
    }
  }
  return found;
}

async function append(path: string, bytes: Uint8Array, { sync, create }: Required<AppendOptions>): Promise<null> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  const file = await fsp.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0));
  try {
    await file.writeFile(bytes);
    if (sync) await file.datasync();
  } finally {
    await file.close();
  }
  return null;
}
