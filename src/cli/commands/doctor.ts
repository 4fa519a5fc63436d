import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import type { Context } from "../context.ts";
import { adviseOn, CARRIERS } from "../doctor/carriers.ts";
import { describeMount, ignoresCase, mountOf } from "../doctor/file-systems.ts";
import { placesOf, type Advice } from "../doctor/place.ts";
import { printable } from "../output.ts";

/** A carrier or file system that was recognised. */
interface Finding {
  readonly name: string;
  /** The file or folder by which it was recognised. */
  readonly mark: string;
  readonly advice: readonly Advice[];
}

export function register(program: Command, context: Context): void {
  program
    .command("doctor")
    .summary("recognise what carries a folder, and check its settings")
    .description(
      "Recognise the programs that carry a space's folder and its file system, and say what to change. Changes nothing. The exit code is 1 if a setting is wrong.",
    )
    .argument("<dir>", "folder of the space")
    .option("--json", "print one JSON object per carrier and line")
    .addHelpText("after", "\nExample:\n  $ foldspace doctor ~/Notes")
    .action(async (directory: string, options: { json?: true }) => {
      const { output } = context;
      const findings = await diagnose(context.folder(directory));
      for (const { name, mark, advice } of findings) {
        if (options.json) {
          await output.json({ name, mark, advice });
          continue;
        }
        await output.line(`${output.colors.bold(name)}  ${output.colors.dim(printable(mark))}`);
        for (const { text, isNeeded } of advice) await output.line(`  ${isNeeded ? "Change: " : ""}${printable(text)}`);
      }
      const wrong = findings.flatMap(({ advice }) => advice).filter(({ isNeeded }) => isNeeded).length;
      if (findings.length === 0) await output.note("No carrier was recognised, and the file system needs no attention");
      else await output.note(wrong === 0 ? "No setting that can be seen here is wrong" : `Settings to change: ${wrong}`);
      if (wrong > 0) context.exitCode = 1;
    });
}

async function diagnose(folder: SpaceFolder): Promise<Finding[]> {
  // a space that cannot be opened may be what the carrier has done to it
  const stat = await folder.fs.stat(folder.path);
  if (!stat) throw folder.errorFor("absent");
  if (stat.kind !== "directory") await folder.inspect();
  const path = realpathSync(folder.path);
  const findings: Finding[] = [];
  const found = new Set<string>();
  for (const place of placesOf(path)) {
    for (const carrier of CARRIERS) {
      const { name } = carrier;
      const mark = found.has(name) ? undefined : carrier.findMark(place);
      if (mark === undefined) continue;
      found.add(name);
      findings.push({ name, mark: join(place.path, mark), advice: adviseOn(carrier, place) });
    }
  }
  const mount = mountOf(path);
  const described = mount && describeMount(mount);
  if (mount && described) findings.push({ name: described.name, mark: mount.path, advice: described.advice });
  if (ignoresCase(path)) {
    const text = "The file system treats names that differ in case as one: ids are lower-case, so this does no harm.";
    findings.push({ name: "A file system that ignores case", mark: path, advice: [{ text, isNeeded: false }] });
  }
  return findings;
}
