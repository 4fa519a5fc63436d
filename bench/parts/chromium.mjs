// The Chromium in which benchmarks run.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export const LAUNCH_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The program that `CHROMIUM_PATH` names, else the first in `PATH`; `undefined` if there is no Chromium. */
export function findChromium() {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const found = PATH.split(delimiter).flatMap((folder) => names.map((each) => join(folder, each)));
  return CHROMIUM_PATH ?? found.find((path) => existsSync(path));
}
