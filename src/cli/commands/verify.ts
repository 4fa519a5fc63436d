import type { Command } from "commander";
import type { FoldspaceErrorCode, Problem } from "../../errors.ts";
import { explainProblem, type ProblemExplanation } from "../../maintenance/explain.ts";
import { verifyFolder } from "../../maintenance/verify.ts";
import type { Context } from "../context.ts";
import { count, printable, type Output } from "../output.ts";

export function register(program: Command, context: Context): void {
  program
    .command("verify")
    .summary("list every problem of a folder")
    .description(
      "List every problem of a space's folder, and explain each kind. Changes nothing. The exit code is 1 if there is any.",
    )
    .argument("<dir>", "folder of the space")
    .option("--json", "print one JSON object per problem and line")
    .addHelpText("after", "\nExample:\n  $ foldspace verify ~/Notes --json")
    .action(async (directory: string, options: { json?: true }) => {
      const { output } = context;
      let checked = { files: 0, filesRead: 0, opsRead: 0 };
      let found = 0;
      const kinds = new Kinds();
      const problems = verifyFolder(context.folder(directory), (progress) => {
        checked = progress;
        output.progress(() => `Checked ${progress.filesRead} of ${count(progress.files, "file")}`);
      });
      for await (const problem of problems) {
        found++;
        if (options.json) await output.json({ ...problem, ...explainProblem(problem) });
        else await showProblem(problem, output);
        kinds.add(problem);
      }
      if (!options.json) await kinds.explain(output);
      const scope = `in ${count(checked.filesRead, "log file")} with ${count(checked.opsRead, "operation")}`;
      await output.note(found === 0 ? `No problems ${scope}` : `${count(found, "problem")} ${scope}`);
      if (found > 0) context.exitCode = 1;
    });
}

/** Lists the problems that a change of the folder leaves, and explains each kind. */
export async function showLeft(
  left: readonly Problem[],
  { isFirst, isDryRun }: { readonly isFirst: boolean; readonly isDryRun: boolean },
  output: Output,
): Promise<void> {
  if (left.length === 0) return;
  await output.line(`${isFirst ? "" : "\n"}${isDryRun ? "Would be left" : "Left"} as it is:`);
  const kinds = new Kinds();
  for (const problem of left) {
    await showProblem(problem, output);
    kinds.add(problem);
  }
  await kinds.explain(output);
}

/** A problem with its place, in one line. */
export async function showProblem({ file, line, code, reason }: Problem, output: Output): Promise<void> {
  const place = printable(`${file ?? ""}${line === undefined ? "" : `:${line}`}`);
  await output.line(`${place}: ${printable(reason)} ${output.colors.dim(`[${code}]`)}`);
}

/** The kinds of problems that were found. Each is explained once. */
class Kinds {
  readonly #met = new Map<ProblemExplanation, FoldspaceErrorCode>();

  add(problem: Problem): void {
    this.#met.set(explainProblem(problem), problem.code);
  }

  async explain(output: Output): Promise<void> {
    const { bold } = output.colors;
    for (const [{ what, consequence, advice }, code] of this.#met) {
      await output.line(`\n${bold(code)}\n  ${what}\n  ${consequence}\n  ${advice}`);
    }
  }
}
