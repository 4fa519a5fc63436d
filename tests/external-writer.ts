import * as fsp from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ExternalWriter } from "../src/testing/file-system-fixture.ts";

/** Hands of another program on this machine. */
export const outsideHands: ExternalWriter = {
  append: (path, text) => fsp.appendFile(path, text),
  write: (path, text) => fsp.writeFile(path, text),
  async replace(path, text) {
    const temporary = join(dirname(path), `.outside.${process.pid}.tmp`);
    await fsp.writeFile(temporary, text);
    await fsp.rename(temporary, path);
  },
  remove: (path) => fsp.rm(path, { recursive: true, force: true }),
  async makeDirectory(path) {
    await fsp.mkdir(path, { recursive: true });
  },
  ...(process.platform === "win32" ? {} : { makeLink: (target, path) => fsp.symlink(target, path) }),
};

/** The same in a folder, told of paths in it. */
export function handsIn(folder: string): ExternalWriter {
  const at = (path: string): string => join(folder, path);
  return {
    append: (path, text) => outsideHands.append(at(path), text),
    write: (path, text) => outsideHands.write(at(path), text),
    replace: (path, text) => outsideHands.replace(at(path), text),
    remove: (path) => outsideHands.remove(at(path)),
    makeDirectory: (path) => outsideHands.makeDirectory(at(path)),
    ...(outsideHands.makeLink && { makeLink: (target, path) => outsideHands.makeLink!(at(target), at(path)) }),
  };
}
