import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder in which the package is installed as its users get it: packed and unpacked, not linked. */
export function installPackage(): { readonly path: string; remove(): void } {
  if (!existsSync(join(root, "dist", "index.js"))) throw new Error("The package is not built: run `npm run build` first");
  const path = mkdtempSync(join(tmpdir(), "foldspace-app-"));
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", path], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const tarball = readdirSync(path).find((name) => name.endsWith(".tgz"))!;
  execFileSync("tar", ["-xzf", tarball], { cwd: path });
  mkdirSync(join(path, "node_modules"));
  renameSync(join(path, "package"), join(path, "node_modules", "foldspace"));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(path, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(path, "node_modules", name));
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
