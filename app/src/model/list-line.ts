/** A line of a text, read as an item of a list. */
export interface ListLine {
  /** Column at which it begins, with tab stops every four columns, as in Markdown. */
  readonly column: number;
  /** Whether it begins with a bullet or a number. */
  readonly isBullet: boolean;
  /** `undefined`: no check box. */
  readonly isDone: boolean | undefined;
  readonly text: string;
}

const BULLET = /^(?:[-*+•]|\d{1,9}[.)])(?:[ \t]+|$)/;
const CHECK_BOX = /^\[([ xX])\](?:[ \t]+|$)/;

export function readListLine(line: string): ListLine {
  const [start, end] = withoutSpaces(line);
  const content = line.slice(start, end);
  const column = columnsOf(line.slice(0, start));
  const bullet = BULLET.exec(content)?.[0] ?? "";
  const behind = content.slice(bullet.length);
  const box = bullet === "" ? null : CHECK_BOX.exec(behind);
  return {
    column,
    isBullet: bullet !== "",
    isDone: box ? box[1] !== " " : undefined,
    text: behind.slice(box?.[0].length ?? 0),
  };
}

/**
 * The start and the end of a text without the spaces and tabs around it. Without a pattern, because one for trailing spaces
 * takes time that grows with the square of the number of other spaces.
 */
export function withoutSpaces(text: string): [start: number, end: number] {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return [start, end];
}

function isSpace(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function columnsOf(space: string): number {
  let column = 0;
  for (const character of space) column = character === "\t" ? column + 4 - (column % 4) : column + 1;
  return column;
}
