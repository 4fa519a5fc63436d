import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
});
const documents = listed.stdout.split("\n").filter((path) => /^(?:[A-Z]+\.md|docs\/.*)$/.test(path));
/** A path in these may also be below one of these folders. */
const FOLDERS = ["", "src", "src/space", "src/space/replication", "tests/scenarios"];
const ENDINGS = ["", ".ts", ".test.ts"];
/** What a path of a source begins with; documents also name paths in a space's folder, imports and types of media. */
const OF_SOURCES =
  /^(?:src|app|tests|scripts|bench|rust|docs|examples|create-foldspace|tree|log|worker|fs|secrets|layers|maintenance|space|serve|cli|testing)\//;

test.each(documents)("%s links to files that exist", (document) => {
  const links = Array.from(
    readFileSync(join(root, document), "utf8").matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g),
    ([, path]) => path!,
  );
  expect(links.filter((path) => !existsSync(join(root, dirname(document), path)))).toEqual([]);
});

test.each(documents)("the sources that %s names exist", (document) => {
  const words = Array.from(readFileSync(join(root, document), "utf8").matchAll(/`([\w./-]+)`/g), ([, word]) => word!);
  const paths = words.filter((word) => OF_SOURCES.test(word) && !/NAME|PATH/.test(word));
  const isThere = (path: string): boolean =>
    FOLDERS.some((folder) => ENDINGS.some((ending) => existsSync(join(root, folder, `${path}${ending}`))));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});
