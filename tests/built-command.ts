import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The command as it was built. */
export const MAIN: string = join(ROOT, "dist/cli/main.js");

/** @throws Error where it is not there, or not of the present sources */
export function assertBuilt(): void {
  const newest = Math.max(
    ...readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => statSync(join(ROOT, "src", file)).mtimeMs),
  );
  if (!existsSync(MAIN) || statSync(MAIN).mtimeMs < newest)
    throw new Error("dist is missing or older than src: run `npm run build` first");
}
