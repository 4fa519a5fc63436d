import { isAbsolute, resolve } from "node:path";

/** Makes a path absolute, with `/` between its parts. An absolute path stays as it is written. */
export function absolutePath(path: string): string {
  if (isAbsolute(path)) return path;
  const absolute = resolve(path);
  return process.platform === "win32" ? absolute.replaceAll("\\", "/") : absolute;
}
