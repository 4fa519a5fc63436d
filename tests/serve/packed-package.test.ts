import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { assertBuilt } from "./served-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

beforeAll(assertBuilt);

/** An empty project that has installed the package with the dependencies that it declares, and nothing else. */
function projectWithPackage(): string {
  const project = mkdtempSync(join(tmpdir(), "foldspace-packed-"));
  onTestFinished(() => rmSync(project, { recursive: true, force: true }));
  const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", project], { cwd: ROOT });
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  execFileSync("tar", ["-xzf", join(project, String(packed).trim()), "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "foldspace")]);
  for (const name of Object.keys(packageJson.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(project, "package.json"), `{"type":"module"}`);
  return project;
}

/** Licences that let anyone pass the package on, under terms that the texts in `LICENSES.txt` fulfil. */
const PERMISSIVE = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0"]);

function licenceOf(name: string): string {
  return (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { license: string }).license;
}

test("what the package contains or installs has a permissive licence", () => {
  const texts = readFileSync(join(ROOT, "dist/cli/LICENSES.txt"), "utf8").split(/^-{80}$/m);
  const bundled = texts.map((text) => text.trim().split(/ \d/, 1)[0]!);
  expect(bundled).toContain("commander");
  for (const name of [...bundled, ...Object.keys(packageJson.dependencies)]) expect(PERMISSIVE, name).toContain(licenceOf(name));
});

/** Leaves a copy of a log, as sync services do. */
function copyLog(space: string): void {
  const log = readdirSync(space, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(".jsonl"))!;
  cpSync(join(space, log), join(space, log.replace(".jsonl", " (conflicted copy).jsonl")));
}

test("the packed package works in an empty project: the library, and the command without further packages", async () => {
  const project = projectWithPackage();
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  writeFileSync(
    join(project, "make.js"),
    `import { openFolder } from "foldspace";
     const space = await openFolder("notes");
     space.tree.root.newNamedChild("from the library");
     await space.close();`,
  );
  run("make.js");
  const command = join("node_modules/foldspace", packageJson.bin.foldspace);
  expect(run(command, "--version").trim()).toBe(packageJson.version);
  expect(run(command, "tree", "notes")).toContain("from the library");
  run(command, "add", "notes", "--name", "from the command");
  expect(run(command, "tree", "notes")).toContain("from the command");
  run(command, "verify", "notes");
  // these load WebAssembly
  copyLog(join(project, "notes"));
  run(command, "repair", "notes");
  writeFileSync(join(project, "passphrase"), "correct horse battery staple");
  run(command, "secrets", "protect", "notes", "--passphrase-file", "passphrase");
  const server = spawn(process.execPath, [command, "serve", "notes", "--port", "0", "--json"], { cwd: project });
  onTestFinished(() => void server.kill("SIGKILL"));
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const { url } = JSON.parse(String(line)) as { url: string };
  expect((await fetch(url)).status).toBe(200);
  expect(readdirSync(join(project, "node_modules/foldspace"))).not.toContain("src");
});
