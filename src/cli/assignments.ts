import { InvalidArgumentError } from "commander";
import type { JsonValue } from "../tree/index.ts";

const ITEM_TEXTS: ReadonlySet<string> = new Set(["text", "note"]);

/** The text is the value as it was typed. */
export type Assignment = readonly [key: string, value: JsonValue, text: string];

/**
 * Reads `key=value`. The value is JSON if writing it back gives the same text, and text otherwise: a commit (`12e4567`), a
 * version (`1.10`) and a number of 19 digits stay what they are.
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
    const value = JSON.parse(text) as JsonValue;
    return text.trim() === text && JSON.stringify(value) === canonical(text) ? value : text;
  } catch {
    // most values are plain text, which needs no quotes
    return text;
  }
}

/** JSON without the freedom in its writing that changes no value: spaces between its parts, and escapes in its strings. */
function canonical(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) =>
    string === undefined ? "" : JSON.stringify(JSON.parse(string)),
  );
}
