import { MAX_LINE_PROBLEMS } from "../limits.ts";
import type { LineFault } from "./line.ts";

/** A line that is not an operation. The parser skips and reports it, and it stays in its file. */
export interface LineProblem extends LineFault {
  /** Counted from 1. */
  readonly line: number;
}

/** Adds a problem found later in a file. The last problem that fits represents all later ones. */
export function addLineProblem(problems: LineProblem[], problem: LineProblem): void {
  if (problems.length < MAX_LINE_PROBLEMS) problems.push(problem);
  else if (problems.length === MAX_LINE_PROBLEMS)
    problems.push({
      ...problem,
      reason: `${problem.reason}; more lines behind it may be wrong: only the first problems of a file are listed`,
    });
}
