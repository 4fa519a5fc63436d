// Runs all checks: types, directions of imports, style, tests, and the package as users will install it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "foldspace-test-"));
const results = join(scratch, "results.json");
const steps = [
  ["types", "npm run --silent typecheck"],
  ["types of the app", "npm run --silent typecheck --workspace app"],
  ["lint and import directions", "npm run --silent lint"],
  ["format", "npm run --silent format:check"],
  ["sentences", "node scripts/check-sentences.mjs"],
  ["documentation", "npm run --silent docs:check"],
  ["unused files, exports and dependencies", "npm run --silent unused"],
  ["package", "npm run --silent test:package"],
  ["tests", `npm run --silent test:unit -- --reporter=default --reporter=json --outputFile.json="${results}"`],
];
const failed = [];
for (const [name, command] of steps) {
  console.log(`\n— ${name}`);
  const { status } = spawnSync(command, { cwd: root, stdio: "inherit", shell: true });
  if (status !== 0) failed.push(name);
}
console.log(
  `\n${steps.length - failed.length} of ${steps.length} checks passed${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}.`,
);
reportCounts();
rmSync(scratch, { recursive: true });
process.exit(failed.length > 0 ? 1 : 0);

function reportCounts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, "utf8"));
    console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
  } catch (error) {
    console.log(`The tests left no results: ${error.message}`);
    failed.push("results");
  }
}
