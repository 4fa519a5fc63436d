import { FoldspaceError } from "../errors.ts";
import { decodeUtf8 } from "../log/utf8.ts";

/** What marks the beginning of a text in UTF-16, in either order of bytes; of UTF-32 it is the beginning of the mark. */
const UTF16_MARKS = [
  [0xff, 0xfe],
  [0xfe, 0xff],
] as const;
const MARK = "\uFEFF";

/**
 * Decodes a text that a person or a program has written. Windows PowerShell puts a byte order mark in front of UTF-8, which is no
 * part of the text, and its `>` writes UTF-16, which is refused: read as UTF-8 it would be another text.
 * @param what names the text at the beginning of a sentence
 * @throws FoldspaceError `FOLD_BAD_UTF8`
 */
export function decodeText(bytes: Uint8Array, what: string): string {
  if (isUtf16(bytes)) throw refused(`${what} is encoded in UTF-16, as ">" of Windows PowerShell does: save it as UTF-8`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw refused(`${what} is not UTF-8: save it as UTF-8`);
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
}

/** Whether it has the mark of UTF-16, or a zero in every second place, as most texts without a mark have. */
function isUtf16(bytes: Uint8Array): boolean {
  if (UTF16_MARKS.some(([first, second]) => bytes[0] === first && bytes[1] === second)) return true;
  const isZero = (from: number): boolean => bytes.every((byte, index) => index % 2 !== from || byte === 0);
  return bytes.length >= 2 && bytes.length % 2 === 0 && (isZero(0) || isZero(1));
}

function refused(reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_BAD_UTF8", reason);
}
