import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import * as foldspace from "../src/index.ts";
import { ELECTRON_MODULE } from "./electron/electron-module.ts";
import tsconfig from "../tsconfig.json" with { type: "json" };
import typedoc from "../typedoc.json" with { type: "json" };

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

test("the documentation has every entry that exports something", () => {
  const entries = Object.values(packageJson.exports).flatMap((target) =>
    typeof target === "object" ? sourceOf(target.default) : [],
  );
  // a script without exports
  const documented = entries.filter((source) => source !== "src/worker/parse-worker.ts");
  expect([...typedoc.entryPoints].sort()).toEqual(documented.sort());
});

describe("the types of the package", () => {
  test("are understood by compilers before TypeScript 5.7, in which arrays of bytes are not generic", { timeout: 60_000 }, () => {
    const sources = readdirSync(at("src"), { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const { options } = ts.convertCompilerOptionsFromJson(tsconfig.compilerOptions, at("."));
    const generic = sources.filter((name) => {
      const { outputText } = ts.transpileDeclaration(readFileSync(at(`src/${name}`), "utf8"), { compilerOptions: options });
      return /^(?!\s*(?:\/?\*|\/\/)).*\b(?:\w+\d+(?:Clamped)?Array|DataView|ArrayBufferView|Buffer)</m.test(outputText);
    });
    expect(generic).toEqual([]);
  });
});

describe("documents for users", () => {
  const guides = readdirSync(at("docs")).filter((name) => name.endsWith(".md"));
  const documents = ["README.md", ...guides.map((name) => `docs/${name}`)].map((path) => readFileSync(at(path), "utf8"));
  const all = documents.join("\n");

  test("docs/errors.md names every error code, and no other", () => {
    const declared = new Set(readFileSync(at("src/errors.ts"), "utf8").match(/FOLD_[A-Z0-9_]+/g));
    const named = new Set(readFileSync(at("docs/errors.md"), "utf8").match(/FOLD_[A-Z0-9_]+/g));
    expect([...named].sort()).toEqual([...declared].sort());
  });

  test("every error code in them exists", () => {
    const declared = readFileSync(at("src/errors.ts"), "utf8");
    for (const code of new Set(all.match(/FOLD_[A-Z0-9_]+/g))) expect(declared).toContain(`"${code}"`);
  });

  test("the example of exchanging operations prints what its comment says", () => {
    const a = new foldspace.ReplicatedTree("a");
    const root = a.createRoot();
    const b = new foldspace.ReplicatedTree("b", a.getAllOps());
    b.newNamedVertex(root.id, "from b");
    a.merge(b.popLocalOps());
    expect(all).toContain('b.newNamedVertex(root.id, "from b");');
    expect(a.getVertexByPath("/from b")?.name).toBe("from b");
  });

  test("the examples compile", { timeout: 60_000 }, () => {
    const given = {
      advise: "(text: string) => void",
      directoryHandle: "FileSystemDirectoryHandle",
      folderLayer: 'import("foldspace").PersistenceLayer',
      id: "string",
      layers: 'import("foldspace").PersistenceLayer[]',
      manager: 'import("foldspace").SpaceManager',
      passphrase: "string",
      refresh: "(names: readonly string[]) => void",
      render: "(children: readonly unknown[]) => void",
      space: 'import("foldspace").Space',
    };
    const examples = [...all.matchAll(/```(tsx?)\n([\s\S]*?)```/g)].map(([, language, example], index): [string, string] => {
      const missing = Object.entries(given).filter(([name]) => !example!.includes(`const ${name}`));
      return [
        at(`example-${index}.${language}`),
        missing.map(([name, type]) => `declare const ${name}: ${type};\n`).join("") + example!,
      ];
    });
    expect(examples.length).toBeGreaterThan(4);
    expect(diagnosticsOf(new Map([...examples, [at("electron.d.ts"), ELECTRON_MODULE]]))).toEqual([]);
  });
});

/** What the compiler has to say about files that exist in memory only. */
function diagnosticsOf(files: ReadonlyMap<string, string>): string[] {
  const paths = Object.entries(packageJson.exports).flatMap(([name, target]): [string, string[]][] =>
    typeof target === "object" ? [[name.replace(/^\./, "foldspace"), [at(sourceOf(target.default))]]] : [],
  );
  const { options } = ts.convertCompilerOptionsFromJson(tsconfig.compilerOptions, at("."));
  const compilerOptions = {
    ...options,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    jsx: ts.JsxEmit.ReactJSX,
    paths: Object.fromEntries(paths),
  };
  const host = ts.createCompilerHost(compilerOptions);
  const [readFile, fileExists] = [host.readFile.bind(host), host.fileExists.bind(host)];
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  const program = ts.createProgram([...files.keys()], compilerOptions, host);
  const found = [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return found.map(({ file, messageText }) => `${file?.text}\n${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}
