import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import packageJson from "../../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Makes projects from the templates, as users do: with both packages packed and unpacked. */
export class Projects {
  readonly #folder = mkdtempSync(join(tmpdir(), "foldspace-projects-"));
  readonly #foldspace = this.#pack(ROOT);
  /** The unpacked package `create-foldspace`. */
  readonly creator: string = this.#unpack(this.#pack(join(ROOT, "create-foldspace")), join(this.#folder, "creator"));

  /** Runs `npm create foldspace`, and installs what the new project declares. */
  async make(template: string): Promise<string> {
    await this.create(template, "--template", template);
    const project = join(this.#folder, template);
    const { dependencies = {}, devDependencies = {} } = readManifest(project);
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
      if (name === "foldspace") this.#installFoldspace(project, range);
      else link(project, name, range);
    return project;
  }

  /** @returns what the command prints. Rejects if it fails */
  async create(...args: readonly string[]): Promise<string> {
    return await run(this.#folder, process.execPath, join(this.creator, "index.js"), ...args);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #installFoldspace(project: string, range: string): void {
    if (range !== `^${packageJson.version}`) throw new Error(`${project} has foldspace ${range}, not ^${packageJson.version}`);
    this.#unpack(this.#foldspace, join(project, "node_modules/foldspace"));
    for (const name of Object.keys(packageJson.dependencies)) link(project, name);
  }

  #pack(folder: string): string {
    const args = ["pack", "--silent", "--pack-destination", this.#folder];
    // builds nothing: only `create-foldspace` has a script that belongs to packing
    if (folder === ROOT) args.push("--ignore-scripts");
    const name = execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    return join(this.#folder, name.trim().split("\n").at(-1)!);
  }

  #unpack(tarball: string, folder: string): string {
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", folder]);
    return folder;
  }
}

/** Runs a script of a project's package.json. */
export async function runScript(project: string, script: string): Promise<string> {
  return await run(project, "npm", "run", "--silent", script);
}

async function run(folder: string, command: string, ...args: readonly string[]): Promise<string> {
  // npm adds the programs of the project, and the projects have only links
  const PATH = `${join(ROOT, "node_modules/.bin")}${delimiter}${process.env["PATH"]}`;
  // vitest sets what would make a build of Vite one for tests
  const env = { ...process.env, PATH, NODE_ENV: undefined, VITEST: undefined };
  try {
    return (await promisify(execFile)(command, args, { cwd: folder, env, encoding: "utf8" })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed.\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** @param range that the project declares, which must allow the version that is tested */
function link(project: string, name: string, range?: string): void {
  const installed = join(ROOT, "node_modules", name);
  const { version } = readManifest(installed);
  if (range !== undefined && range !== `^${version}`)
    throw new Error(`${project} has ${name} ${range}, but ^${version} is tested`);
  const target = join(project, "node_modules", name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(installed, target);
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
