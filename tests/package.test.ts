import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import * as foldspace from "../src/index.ts";

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const sourceOf = (built: string): string => built.replace("./dist/", "src/").replace(/\.js$/, ".ts");

describe("package.json", () => {
  const targets = Object.values(packageJson.exports).filter((target) => typeof target === "object");

  test.each([...targets.map((target) => target.default), packageJson.bin.foldspace])("%s has a source", (path) => {
    expect(existsSync(at(sourceOf(path)))).toBe(true);
  });

  test.each(Object.values(packageJson.imports).flatMap((choice) => Object.values(choice)))(
    "%s, chosen by platform, has a source",
    (path) => {
      expect(existsSync(at(sourceOf(path)))).toBe(true);
    },
  );
});

describe("README.md", () => {
  const readme = readFileSync(at("README.md"), "utf8");

  test("names every error code, and no other", () => {
    const declared = new Set(readFileSync(at("src/errors.ts"), "utf8").match(/FOLD_[A-Z0-9_]+/g));
    const named = new Set(readme.match(/FOLD_[A-Z0-9_]+/g));
    expect([...named].sort()).toEqual([...declared].sort());
  });

  test("its example of exchanging operations gives what it says", () => {
    const a = new foldspace.ReplicatedTree("a");
    const root = a.createRoot();
    const b = new foldspace.ReplicatedTree("b", a.getAllOps());
    b.newNamedVertex(root.id, "from b");
    a.merge(b.popLocalOps());
    expect(readme).toContain('b.newNamedVertex(root.id, "from b");');
    expect(a.getVertexByPath("/from b")?.name).toBe("from b");
  });

  test("what it imports from the package is there", async () => {
    for (const [, names, path] of readme.matchAll(/import \{ ([^}]+) \} from "foldspace([^"]*)"/g)) {
      const target = packageJson.exports[`.${path}` as "."];
      const module = (await import(at(sourceOf(target.default)))) as Record<string, unknown>;
      for (const name of names!.split(", ")) expect(module, `foldspace${path}`).toHaveProperty(name);
    }
  });
});
