// Folders made with malice, as large as they may come: a million files, lines of 5 GB. Takes some 10 GB of disk for a while, and a quarter of an hour.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const { status } = spawnSync("node scripts/setup.mjs build && npx vitest run --project long tests/hostile", {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  env: { ...process.env, FOLDSPACE_HOSTILE: "full" },
  stdio: "inherit",
  shell: true,
});
process.exit(status ?? 1);
