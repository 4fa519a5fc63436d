import { mkdirSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { systemCode } from "../../errors.ts";

/**
 * The folder in which programs of a user keep state that belongs to one machine, and that sync services do not carry.
 * @param variables environment variables
 * @returns the folder of foldspace in it, which may not exist yet; `undefined` if the user has no such folder
 */
export function stateFolder(
  variables: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const { XDG_STATE_HOME, HOME, LOCALAPPDATA } = variables;
  const state = [XDG_STATE_HOME, ofPlatform(platform, HOME, LOCALAPPDATA)].find((path) => path && isAbsolute(path));
  return state ? join(state, "foldspace") : undefined;
}

/**
 * Makes a folder for the user alone, with those above it. Node's own recursive call never returns for a folder in which nothing can
 * be made, such as one below /proc.
 * @throws the system's error
 */
export function makeStateFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const above = dirname(path);
    const code = systemCode(error);
    if (code === "ENOENT" && above !== path && statSync(above, { throwIfNoEntry: false }) === undefined) {
      makeStateFolder(above);
      // another process may have made it meanwhile
      makeStateFolder(path);
    } else if (code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}

function ofPlatform(platform: NodeJS.Platform, home: string | undefined, localAppData: string | undefined): string | undefined {
  if (platform === "win32") return localAppData;
  if (!home) return undefined;
  return platform === "darwin" ? join(home, "Library", "Application Support") : join(home, ".local", "state");
}
