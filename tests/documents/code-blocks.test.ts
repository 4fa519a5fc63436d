import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transform } from "esbuild";
import ts from "typescript";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import tsconfig from "../../tsconfig.json" with { type: "json" };
import { assertBuilt } from "../built-command.ts";
import { ELECTRON_MODULE } from "../electron/electron-module.ts";
import { blocksOf, languages, ROOT, type Block } from "./blocks.ts";
import { surroundingsOf } from "./surroundings.ts";

beforeAll(assertBuilt);

/** Languages whose blocks are checked here; `sh` has a test of its own, and blocks without a language are not code. */
const CHECKED = new Set(["", "js", "json", "sh", "svelte", "toml", "ts", "tsx", "vue"]);

test("the documents have no block in a language that no test checks", () => {
  expect([...languages].filter((language) => !CHECKED.has(language))).toEqual([]);
});

test("the blocks compile with the types of the package", { timeout: 60_000 }, () => {
  const blocks = blocksOf("ts", "tsx");
  expect(blocks.length).toBeGreaterThan(15);
  const declared = (code: string): string =>
    surroundingsOf(code)
      .map(([name, { type }]) => `declare const ${name}: ${type};\n`)
      .join("");
  const files = blocks.map(({ language, code }): [string, string] => [language, declared(code) + code]);
  expect(diagnosticsOf([...files, ["d.ts", ELECTRON_MODULE]])).toEqual([]);
});

test("the blocks of JavaScript compile as loosely as such programs are written", { timeout: 60_000 }, () => {
  const options: ts.CompilerOptions = { allowJs: true, checkJs: true, strict: false, declaration: false };
  const files = blocksOf("js").map(({ code }): [string, string] => ["mjs", code]);
  expect(diagnosticsOf(files, options)).toEqual([]);
});

/** What only pages and apps have. */
const OF_PAGES =
  /"(?:electron|react[\w/-]*|@tauri-apps\/[\w-]+|foldspace\/(?:bridge|electron[\w/-]*|indexeddb|nats|react|tauri|web))"|BroadcastChannel/;
const ARGUMENTS = /process\.argv/;

describe("a block that needs no page runs, and prints what its comments say", () => {
  const programs = blocksOf("js", "ts").filter(
    ({ document, code }) =>
      // README's has a test of its own, as it says in sentences what it prints
      document !== "README.md" &&
      !OF_PAGES.test(code) &&
      !ARGUMENTS.test(code) &&
      surroundingsOf(code).every(([, { value }]) => value !== undefined),
  );

  test("that holds for most of them", () => {
    expect(programs.length).toBeGreaterThan(7);
  });

  test.each(programs)("$place", { timeout: 60_000 }, async ({ code }) => {
    const values = surroundingsOf(code).map(([name, { value }]) => `const ${name} = ${value};\n`);
    const { code: script } = await transform(values.join("") + code, { loader: "ts", format: "esm", target: "es2022" });
    expect(runScript(`${script}\nprocess.exit();`)).toEqual(printedBy(code));
  });
});

describe("the program of docs/debugging.md shows the steps of an edit", () => {
  const [block] = blocksOf("js").filter(({ code }) => ARGUMENTS.test(code)) as [Block];

  test("between two processes", { timeout: 60_000 }, () => {
    const make = `import { openFolder } from "foldspace"; const space = await openFolder("notes"); console.log(space.id); await space.close();`;
    const folder = programFolder();
    const [id] = runScript(make, folder) as [string];
    writeFileSync(join(folder, "tab.mjs"), block.code.replace("12_000", "1_000"));
    const run = spawnSync(process.execPath, ["tab.mjs", "notes", id, "Shopping"], { cwd: folder, encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    for (const step of ["read", "merged", "made", "queued", "saved"]) expect(run.stderr).toContain(`  ${step} `);
  });
});

describe("other blocks", () => {
  test.each(blocksOf("json"))("$place is JSON", ({ code }) => {
    expect(() => JSON.parse(code) as unknown).not.toThrow();
  });

  test.each(blocksOf("toml"))("$place names a crate that the package contains", ({ code }) => {
    const [, name] = /^([\w-]+) = \{ path = "\.\.\/node_modules\/foldspace\/rust\/\1" \}$/m.exec(code) ?? [];
    expect(existsSync(join(ROOT, "rust", name!, "Cargo.toml"))).toBe(true);
  });

  test.each(blocksOf("svelte", "tsx", "vue"))("$place is a file of an example, which is built and used", ({ code, language }) => {
    const file = { svelte: "svelte/src/Item.svelte", tsx: "react/src/main.tsx", vue: "vue/src/Item.vue" }[language]!;
    expect(code).toBe(readFileSync(join(ROOT, "examples", file), "utf8"));
  });
});

function programFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-block-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** @returns the lines that a script prints */
function runScript(script: string, folder: string = programFolder()): string[] {
  writeFileSync(join(folder, "script.mjs"), script);
  const { status, stdout, stderr } = spawnSync(process.execPath, ["script.mjs"], {
    cwd: folder,
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(status, stderr).toBe(0);
  return stdout.split("\n").filter((line) => line !== "");
}

/** The lines that a block prints according to its comments: the comment behind `console.log`, or its words in front of a comma. */
function printedBy(code: string): string[] {
  return Array.from(code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm), ([, comment]) => {
    const [, text] = /^"(.*)"$/.exec(comment!) ?? [];
    return text ?? comment!.replace(/, the .*$/, "");
  });
}

/** What the compiler has to say about files that exist in memory only. */
function diagnosticsOf(
  files: readonly (readonly [extension: string, text: string])[],
  options: ts.CompilerOptions = {},
): string[] {
  const texts = new Map(files.map(([extension, text], index) => [join(ROOT, `block-${index}.${extension}`), text]));
  const entries = Object.entries(packageJson.exports).flatMap(([name, target]): [string, string[]][] =>
    typeof target === "object" ? [[name.replace(/^\./, "foldspace"), [join(ROOT, target.types)]]] : [],
  );
  const compilerOptions = {
    ...ts.convertCompilerOptionsFromJson(tsconfig.compilerOptions, ROOT).options,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    jsx: ts.JsxEmit.ReactJSX,
    paths: Object.fromEntries(entries),
    ...options,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const [readFile, fileExists] = [host.readFile.bind(host), host.fileExists.bind(host)];
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  const program = ts.createProgram([...texts.keys()], compilerOptions, host);
  const found = [...texts.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return found.map(({ file, messageText }) => `${file?.text}\n${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}
