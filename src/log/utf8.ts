import { errorName } from "../errors.ts";

// The core is compiled without the types of any platform; every platform has this class.
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Decodes bytes, with U+FFFD in the place of invalid UTF-8. */
export function decodeAsUtf8(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** @returns the decoded text; `undefined` if the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (errorName(error) === "TypeError") return undefined;
    throw error;
  }
}
