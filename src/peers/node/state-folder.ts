import { isAbsolute, join } from "node:path";

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

function ofPlatform(platform: NodeJS.Platform, home: string | undefined, localAppData: string | undefined): string | undefined {
  if (platform === "win32") return localAppData;
  if (!home) return undefined;
  return platform === "darwin" ? join(home, "Library", "Application Support") : join(home, ".local", "state");
}
