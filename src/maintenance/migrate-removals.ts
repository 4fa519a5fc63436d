import { concatBytes, LF } from "../bytes.ts";
const CR = 13;
const PROPERTY = bytesOf('["p",');
const UNDEFINED = bytesOf(",undefined]");
const REMOVED = bytesOf(",{}]");

/**
 * Rewrites property lines in which the first version wrote a removal as the bare word `undefined`, which is not JSON. All
 * other bytes stay. A string cannot put the word directly before a line's last bracket, because its closing quote would follow.
 */
export function repairRemovals(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(LF, start);
    const next = newline === -1 ? bytes.length : newline + 1;
    let end = newline === -1 ? bytes.length : newline;
    if (bytes[end - 1] === CR) end--;
    if (hasAt(bytes, start, PROPERTY) && hasAt(bytes, end - UNDEFINED.length, UNDEFINED)) {
      parts.push(bytes.subarray(kept, end - UNDEFINED.length), REMOVED);
      kept = end;
    }
    start = next;
  }
  if (parts.length === 0) return bytes;
  parts.push(bytes.subarray(kept));
  return concatBytes(parts);
}

function hasAt(bytes: Uint8Array, offset: number, part: Uint8Array): boolean {
  return offset >= 0 && part.every((byte, index) => bytes[offset + index] === byte);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
