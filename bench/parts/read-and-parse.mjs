// The floor for everything that reads a folder: reads every log file below it and parses every line.
// node read-and-parse.mjs FOLDER

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

let lines = 0;
for (const entry of readdirSync(join(process.argv[2], "space-v1", "ops"), { recursive: true, withFileTypes: true })) {
  if (!entry.name.endsWith(".jsonl")) continue;
  for (const line of readFileSync(join(entry.parentPath, entry.name), "utf8").split("\n")) {
    if (line === "") continue;
    JSON.parse(line);
    lines++;
  }
}
console.log(lines);
