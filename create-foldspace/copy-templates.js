// Copies the examples of the repository into the package, before it is packed.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const examples = fileURLToPath(new URL("../examples", import.meta.url));
const templates = fileURLToPath(new URL("templates", import.meta.url));

rmSync(templates, { recursive: true, force: true });
// what Git would commit, so that nothing that was built or installed there comes along
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "."], { cwd: examples });
for (const path of String(listed).split("\0"))
  if (path.includes("/") && !path.endsWith(".gitignore")) cpSync(join(examples, path), join(templates, path));
