import { OPS_DIR, classifyLogFile } from "../../src/log/paths.ts";
import type { Device } from "./device.ts";
import { FOLDER } from "./place.ts";

/** Finds operations that a device's layers were given more than once: by two relays, or by a relay and their maker. */
export function findRepeatedWrites(device: Device): string[] {
  const repeated = [...device.store.writes].filter(([, count]) => count > 1);
  const violations = repeated.map(([entry, count]) => `${device.name}'s store was given ${count} times: ${entry}`);
  const files = new Map<string, string[]>();
  for (const [path, text] of Object.entries(device.disk.dump())) {
    const root = `${FOLDER.slice(1)}/${OPS_DIR}/`;
    const file = path.startsWith(root) ? classifyLogFile(path.slice(root.length)) : undefined;
    if (file?.kind !== "log") continue;
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const key = `${file.treeId} ${file.peerId} ${line}`;
      const known = files.get(key);
      if (known) known.push(path);
      else files.set(key, [path]);
    }
  }
  for (const [key, paths] of files)
    if (paths.length > 1) violations.push(`${device.name}'s folder has ${paths.length} times: ${key}, in ${paths.join(" and ")}`);
  return violations;
}
