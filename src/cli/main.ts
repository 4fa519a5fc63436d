#!/usr/bin/env node
// Versions of Node that cannot load the rest must be able to read this file: no import at the top, and no newer syntax than needed.

/** As `engines` in package.json. */
const NEEDED = [20, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

// what the command sets at its end; a command that ends before that has failed
process.exitCode = 1;
if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  const isVersionWanted = process.argv.length === 3 && (process.argv[2] === "--version" || process.argv[2] === "-V");
  // the version alone needs none of the rest, which takes twice as long to load as Node to start
  void (isVersionWanted ? import("./print-version.ts") : import("./start.ts"));
} else {
  process.stderr.write(
    "foldspace needs Node " +
      NEEDED.join(".") +
      " or newer, and this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      ")\n",
  );
}
