import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { assertBuilt } from "./built-command.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

const SLOW = { timeout: 180_000 };

beforeAll(assertBuilt);

/** The first block of a language in README's section. */
function block(section: string, language: string): string {
  const [, text] = new RegExp(`\n## ${section}\n[^]*?\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)!;
  return text!;
}

function run(folder: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
  return { code: status, stdout, stderr };
}

/** A folder of an app with foldspace, which is removed after the test. */
function appFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/foldspace"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const compiler = join(root, "node_modules/typescript/bin/tsc");

test("the first example of README compiles with the given settings, ends by itself and can be run again", SLOW, () => {
  const [, setting, value] = /npm pkg set (\w+)=(\w+)/.exec(block("Install", "sh"))!;
  const folder = appFolder({
    "package.json": JSON.stringify({ [setting!]: value }),
    "tsconfig.json": block("Install", "json"),
    "app.ts": block("Use it", "ts"),
  });
  expect(run(folder, compiler)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(run(folder, "app.js")).toEqual({ code: 0, stdout: "[]\n[ 'Milk' ]\n", stderr: "" });
  expect(run(folder, "app.js")).toEqual({ code: 0, stdout: "[ 'Milk' ]\n[ 'Milk', 'Milk' ]\n", stderr: "" });
});

test("the types need no types of pages, and all of them are checked without skipLibCheck", SLOW, () => {
  const entries = ["", "/bridge", "/live", "/log", "/node", "/reptree", "/svelte", "/tree"];
  const compilerOptions = { target: "ES2022", lib: ["ES2022"], types: ["node"], module: "NodeNext", strict: true, noEmit: true };
  const folder = appFolder({
    "package.json": JSON.stringify({ type: "module" }),
    "tsconfig.json": JSON.stringify({ compilerOptions }),
    "app.ts": entries.map((entry, index) => `export * as entry${index} from "foldspace${entry}";\n`).join(""),
  });
  symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  expect(run(folder, compiler)).toEqual({ code: 0, stdout: "", stderr: "" });
});
