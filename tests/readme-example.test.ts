import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { assertBuilt } from "./built-command.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

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

test(
  "the first example of README compiles with the given settings, ends by itself and can be run again",
  { timeout: 180_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "foldspace-readme-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/foldspace"));
    const [, setting, value] = /npm pkg set (\w+)=(\w+)/.exec(block("Install", "sh"))!;
    writeFileSync(join(folder, "package.json"), JSON.stringify({ [setting!]: value }));
    writeFileSync(join(folder, "tsconfig.json"), block("Install", "json"));
    writeFileSync(join(folder, "app.ts"), block("Use it", "ts"));

    expect(run(folder, join(root, "node_modules/typescript/bin/tsc"))).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(run(folder, "app.js")).toEqual({ code: 0, stdout: "[]\n[ 'Milk' ]\n", stderr: "" });
    expect(run(folder, "app.js")).toEqual({ code: 0, stdout: "[ 'Milk' ]\n[ 'Milk', 'Milk' ]\n", stderr: "" });
  },
);
