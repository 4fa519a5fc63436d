import { InvalidArgumentError } from "commander";
import type { JsonValue } from "../tree/index.ts";

const ITEM_TEXTS: ReadonlySet<string> = new Set(["text", "note"]);

/** The text is the value as it was typed. */
export type Assignment = readonly [key: string, value: JsonValue, text: string];

/**
 * Reads `key=value`. The value is JSON if it parses as JSON, and text otherwise.
 * @throws InvalidArgumentError if there is no `=`, or no key before it
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${JSON.stringify(text)} is not key=value.`);
  const value = text.slice(at + 1);
  return [text.slice(0, at), parseValue(value), value];
}

/**
 * The properties that assignments make. The texts and notes of an outline's items are taken as they were typed: a number there
 * is a text, too.
 */
export function propertiesOf(assignments: readonly Assignment[], isItem: boolean): Record<string, JsonValue> {
  return Object.fromEntries(
    assignments.map(([key, value, text]) => [key, isItem && ITEM_TEXTS.has(key) && typeof value !== "string" ? text : value]),
  );
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
