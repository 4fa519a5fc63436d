import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "./blocks.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const index = read("llms.txt");
const assistants = read("docs/AGENTS.md");

test("llms.txt has the form of llmstxt.org: a title, a summary, and sections of links with notes", () => {
  const [title, , summary] = index.split("\n");
  expect(title).toBe(`# ${packageJson.name}`);
  expect(summary).toMatch(/^> \w/);
  const [, ...sections] = index.split(/^## /m);
  for (const section of sections) {
    const [, ...lines] = section.trimEnd().split("\n");
    expect(lines.filter((line) => line !== "" && !/^- \[[^\]]+\]\([^)]+\): \S/.test(line))).toEqual([]);
  }
});

test("llms.txt lists every document of the package, and no other", () => {
  const listed = Array.from(index.matchAll(/\]\(([^)]+)\)/g), ([, path]) => path!);
  const guides = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  const packed = [...packageJson.files.filter((path) => /^\w+\.md$/.test(path)), ...guides.map((name) => `docs/${name}`)];
  expect(listed.sort()).toEqual(packed.sort());
  expect(packageJson.files).toEqual(expect.arrayContaining(["docs/*.md", "llms.txt"]));
});

test("docs/AGENTS.md lists every entry of the package, and no other", () => {
  const listed = Array.from(assistants.matchAll(/^\| `(foldspace[\w/]*)`/gm), ([, name]) => name!);
  const entries = Object.keys(packageJson.exports).flatMap((name) =>
    name === "./package.json" ? [] : name.replace(/^\./, "foldspace"),
  );
  expect(listed.sort()).toEqual(entries.sort());
});

test("README lists every guide", () => {
  const readme = read("README.md");
  const guides = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  expect(guides.filter((name) => !readme.includes(`](docs/${name}`))).toEqual([]);
});

test("the names in the code and rules of docs/AGENTS.md exist in the types", () => {
  const types = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => read(`src/${name}`))
    .join("\n");
  const [, rules] = assistants.split("## Rules");
  const names = Array.from(rules!.matchAll(/`(?:\w+\.)*(\w+)\.(\w+)/g), ([, , name]) => name!).filter(
    (name) => !/^(?:md|json)$/.test(name),
  );
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(types))).toEqual([]);
});
