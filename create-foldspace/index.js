#!/usr/bin/env node
// Begins an app: copies an example of foldspace into a new folder.
//
// npm create foldspace [folder] -- [--template NAME]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const packed = fileURLToPath(new URL("templates", import.meta.url));
/** In the repository, the templates are the examples themselves. */
const templates = existsSync(packed) ? packed : fileURLToPath(new URL("../examples", import.meta.url));
const names = readdirSync(templates, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const usage = `npm create foldspace FOLDER -- --template NAME, with one of these names: ${names.join(", ")}`;
/** What running an example in the repository leaves, and nobody commits. */
const ignored = ["node_modules", "dist", "data", "groceries", "src-tauri/target", "src-tauri/gen"];

try {
  const { folder, template } = await choose();
  create(resolve(folder), template);
  console.log(`Made ${folder}. Continue with:\n\n  cd ${relative("", folder) || "."}\n  npm install\n  npm run`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** Takes the choices from the arguments, and asks for those that are missing. */
async function choose() {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { template: { type: "string", short: "t" } } });
  let [folder] = positionals;
  let { template } = values;
  if ((!folder || !template) && process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin });
    const lines = terminal[Symbol.asyncIterator]();
    const ask = async (question) => {
      process.stdout.write(question);
      return ((await lines.next()).value ?? "").trim();
    };
    folder ||= await ask("Folder of the app: ");
    template ||= await ask(`Template (${names.join(", ")}): `);
    terminal.close();
  }
  if (!folder || !names.includes(template)) throw new Error(usage);
  return { folder, template };
}

function create(folder, template) {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  mkdirSync(folder, { recursive: true });
  const source = join(templates, template);
  cpSync(source, folder, { recursive: true, filter: (path) => !ignored.includes(relative(source, path).replaceAll("\\", "/")) });
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "");
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...manifest, name: name || manifest.name }, undefined, 2)}\n`);
  writeFileSync(join(folder, ".gitignore"), ignored.map((path) => `/${path}/\n`).join(""));
}
