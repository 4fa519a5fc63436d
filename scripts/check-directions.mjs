// Checks that each folder of src imports only what ARCHITECTURE.md's table of folders permits.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Reads the table of folders.
 * @param {string} text of ARCHITECTURE.md
 * @returns {Map<string, Set<string>>} the folders that each folder may import besides itself; `"*"` for all except those marked with "!"
 */
export function readDirections(text) {
  const directions = new Map();
  for (const [, folder, imports] of text.matchAll(/^\| `([a-z/]+)` *\|[^|]*\|([^|]*)\|$/gm)) {
    const named = Array.from(imports.matchAll(/`([a-z/.-]+)`/g), ([, name]) => name);
    const isAllBut = imports.includes("all but");
    directions.set(folder, new Set(isAllBut ? ["*", ...named.map((name) => `!${name}`)] : named));
  }
  return directions;
}

/**
 * Finds the imports that the table does not permit. Every folder may import the files directly in src, which import only each other.
 * @param {Map<string, Set<string>>} directions as of {@link readDirections}
 * @param {string} file path below src
 * @param {string} source of the file
 * @returns {string[]} a sentence for each violation
 */
export function findViolations(directions, file, source) {
  const own = folderOf(directions, file);
  const violations = [];
  for (const [, specifier] of source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)) {
    const target = join(dirname(file), specifier).split(sep).join("/");
    const other = folderOf(directions, target);
    if (other === own || other === "" || permits(directions.get(own), other, target)) continue;
    violations.push(`src/${file} imports ${target}: ${own || "src"} must not import ${other}`);
  }
  return violations;
}

/** The most specific folder of the table that contains a file; `""` for a file directly in src. */
function folderOf(directions, file) {
  const parents = [dirname(file), dirname(dirname(file)), dirname(dirname(dirname(file)))];
  const folder = parents.find((parent) => directions.has(parent));
  if (folder === undefined && file.includes("/")) throw new Error(`ARCHITECTURE.md's table lacks the folder of src/${file}`);
  return folder ?? "";
}

function permits(permitted, other, target) {
  if (permitted?.has("*")) return !permitted.has(`!${other}`);
  return Boolean(permitted && (permitted.has(other) || permitted.has(target)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directions = readDirections(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map((file) => file.split(sep).join("/"));
  const violations = files
    .filter((file) => /\/.*(?<!\.test)\.ts$/.test(file))
    .flatMap((file) => findViolations(directions, file, readFileSync(join(root, "src", file), "utf8")));
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exit(1);
}
