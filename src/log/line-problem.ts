import { MAX_LINE_PROBLEMS } from "../limits.ts";
import type { LineFault } from "./line.ts";

/** A line that is no operation: skipped, reported, and left in its file. */
export interface LineProblem extends LineFault {
  /** Counted from 1. */
  readonly line: number;
}

/** Adds what was found later in a file; the last one that is taken speaks for all behind it. */
export function addLineProblem(problems: LineProblem[], problem: LineProblem): void {
  if (problems.length < MAX_LINE_PROBLEMS) problems.push(problem);
  else if (problems.length === MAX_LINE_PROBLEMS)
    problems.push({
      ...problem,
      reason: `${problem.reason}; more lines behind it may be wrong: only so many of a file are listed`,
    });
}
