// Runs all benchmarks but the long ones, or the named ones: `node bench/run.mjs tree`. Exit code 1 if a limit was exceeded, 2 for an unknown name.

import { readdirSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { Report } from "./harness.mjs";

const NOT_BENCHMARKS = new Set(["harness.mjs", "run.mjs"]);
/** Take many minutes: run only if they are named. */
const LONG = new Set(["latency"]);

const found = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".mjs") && !NOT_BENCHMARKS.has(entry.name))
  .map((entry) => entry.name.slice(0, -".mjs".length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !found.includes(name));

if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(", ")}; there are: ${found.join(", ")}`);
  process.exitCode = 2;
} else {
  console.log(
    `node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}`,
  );
  const report = new Report();
  for (const file of wanted.length > 0 ? wanted : found.filter((name) => !LONG.has(name))) {
    const bench = await import(new URL(`${file}.mjs`, import.meta.url));
    report.heading(bench.name);
    await bench.run(report);
  }
  if (report.failures.length > 0) {
    console.error(`\nOver the limit:\n${report.failures.map((label) => `  ${label}`).join("\n")}`);
    process.exitCode = 1;
  }
}
