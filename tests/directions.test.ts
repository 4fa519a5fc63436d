import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findViolations, readDirections } from "../scripts/check-directions.mjs";

const directions: Map<string, Set<string>> = readDirections(readFileSync(new URL("../ARCHITECTURE.md", import.meta.url), "utf8"));

function violations(file: string, imported: string): string[] {
  return findViolations(directions, file, `import { something } from "${imported}";\n`);
}

test.each([
  ["tree/vertex.ts", "../secrets/vault.ts"],
  ["log/line.ts", "../serve/server.ts"],
  ["space/space.ts", "../worker/parsing.ts"],
  ["fs/file-system.ts", "../serve/server.ts"],
  ["fs/bridge/link.ts", "../node/index.ts"],
  ["layers/batcher.ts", "./folder/log-writer.ts"],
  ["layers/folder/log-files.ts", "../../maintenance/verify.ts"],
  ["secrets/vault.ts", "../space/space.ts"],
  ["testing/index.ts", "../cli/main.ts"],
  ["maintenance/repair/repair.ts", "../../space/space.ts"],
])("%s must not import %s", (file, imported) => {
  expect(violations(file, imported)).toHaveLength(1);
});

test.each([
  ["log/line.ts", "../tree/index.ts"],
  ["tree/vertex.ts", "../errors.ts"],
  ["tree/vertex.ts", "./node.ts"],
  ["space/replication/layer-state.ts", "../../tree/index.ts"],
  ["cli/main.ts", "../serve/server.ts"],
  ["maintenance/repair/repair.ts", "../../layers/folder/space-folder.ts"],
])("%s may import %s", (file, imported) => {
  expect(violations(file, imported)).toEqual([]);
});

test("a folder that the table does not have is refused", () => {
  expect(() => violations("new-folder/file.ts", "../tree/index.ts")).toThrow("new-folder");
});
