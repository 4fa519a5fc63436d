import { InvalidArgumentError } from "commander";
import type { JsonValue } from "../tree/index.ts";

export type Assignment = readonly [key: string, value: JsonValue];

/**
 * Reads `key=value`. The value is JSON if it parses as JSON, and text otherwise.
 * @throws InvalidArgumentError if there is no `=`, or no key before it
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${JSON.stringify(text)} is not key=value.`);
  return [text.slice(0, at), parseValue(text.slice(at + 1))];
}

/** For an option or argument that may be repeated. */
export function collectAssignments(text: string, earlier: readonly Assignment[] = []): Assignment[] {
  return [...earlier, parseAssignment(text)];
}

/** For an option that may be repeated. */
export function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // most values are plain text, which needs no quotes
    return text;
  }
}
