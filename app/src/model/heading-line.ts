import { fromMarkdownHeading } from "foldspace";
import { withoutSpaces } from "./list-line.ts";

/** A line of a text, read as a heading of Markdown. */
export interface HeadingLine {
  /** From 1 to 6. */
  readonly level: number;
  readonly text: string;
}

/** The column of headings, before everything that is indented; a higher level begins further right. */
export const HEADING_COLUMN = -10;

const START = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const END = /(?:^|[ \t])#+$/;

/** @returns `undefined` for any other line */
export function readHeading(line: string): HeadingLine | undefined {
  const start = START.exec(line);
  if (!start) return undefined;
  return { level: start[1]!.length, text: fromMarkdownHeading(trim(trim(line.slice(start[0].length)).replace(END, ""))) };
}

function trim(text: string): string {
  return text.slice(...withoutSpaces(text));
}
