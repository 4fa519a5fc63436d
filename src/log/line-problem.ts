import type { LineFault } from "./line.ts";

/** A line that is no operation: skipped, reported, and left in its file. */
export interface LineProblem extends LineFault {
  /** Counted from 1. */
  readonly line: number;
}

/** So many lines of one file are reported one by one: a file of nothing but garbage must not fill the memory. */
export const MAX_LINE_PROBLEMS = 1_000;

/** Adds what was found later in a file; the last one that is taken speaks for all behind it. */
export function addLineProblem(problems: LineProblem[], problem: LineProblem): void {
  if (problems.length < MAX_LINE_PROBLEMS) problems.push(problem);
  else if (problems.length === MAX_LINE_PROBLEMS)
    problems.push({
      ...problem,
      reason: `${problem.reason}; more lines behind it may be wrong: only so many of a file are listed`,
    });
}
