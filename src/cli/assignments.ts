import { InvalidArgumentError } from "commander";
import type { JsonValue } from "../tree/index.ts";

export type Assignment = readonly [key: string, value: JsonValue];

/**
 * Reads `key=value`: the value is JSON where it is, else text.
 * @throws InvalidArgumentError where there is no `=`, or no key before it
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${JSON.stringify(text)} is not key=value.`);
  return [text.slice(0, at), parseValue(text.slice(at + 1))];
}

/** For an option or argument that may be given several times. */
export function collectAssignments(text: string, earlier: readonly Assignment[] = []): Assignment[] {
  return [...earlier, parseAssignment(text)];
}

/** For an option that may be given several times. */
export function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // most values are plain text, which needs no quotes here
    return text;
  }
}
