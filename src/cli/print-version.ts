import { readVersion } from "./version.ts";

// the reader may have closed the output: then nobody misses the version
process.stdout.on("error", () => undefined);
process.stdout.write(`${readVersion()}\n`);
process.exitCode = 0;
