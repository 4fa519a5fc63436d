import { spawn } from "node:child_process";
import { FoldspaceError } from "../errors.ts";

/** A program that has not failed by then has opened a window, and may run on with it. */
const FAILS_WITHIN_MS = 3_000;

/**
 * Opens a folder in the file manager of the system.
 * @param path full path
 * @throws FoldspaceError `FOLD_UNAVAILABLE` where there is none, as on a machine without a screen
 */
export async function showInFileManager(path: string): Promise<void> {
  const { program, argument, reportsFailure } = openerOf(process.platform, path);
  const child = spawn(program, [argument], { stdio: "ignore", detached: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, FAILS_WITHIN_MS);
      child.once("error", reject);
      child.once("exit", (code) =>
        code === 0 || !reportsFailure ? resolve() : reject(new Error(`${program} ended with ${code ?? "a signal"}`)),
      );
    });
  } catch (cause) {
    throw new FoldspaceError("FOLD_UNAVAILABLE", `No file manager could be opened for ${path}`, { data: { path }, cause });
  } finally {
    clearTimeout(timer);
    // it may stay open longer than we do
    child.unref();
  }
}

interface Opener {
  readonly program: string;
  readonly argument: string;
  /** Whether its exit code says how it went. */
  readonly reportsFailure: boolean;
}

function openerOf(platform: NodeJS.Platform, path: string): Opener {
  if (platform === "win32") return { program: "explorer.exe", argument: path.replaceAll("/", "\\"), reportsFailure: false };
  return { program: platform === "darwin" ? "open" : "xdg-open", argument: path, reportsFailure: true };
}
