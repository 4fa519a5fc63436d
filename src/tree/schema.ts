import { errorMessage, FoldspaceError } from "../errors.ts";
import type { JsonValue } from "./json-value.ts";

type ParseResult<T> = { readonly success: true; readonly data: T } | { readonly success: false; readonly error?: unknown };

/** A schema of a single value. */
export interface FieldSchema<T = unknown> {
  /** As in Zod. */
  readonly safeParse?: (input: unknown) => ParseResult<T>;
  /** As in https://standardschema.dev. */
  readonly "~standard"?: { readonly validate: (value: unknown) => unknown };
}

/** The parts of a schema that `bind` uses. Zod's schemas and all that follow Standard Schema fit. They must check synchronously. */
export interface SchemaLike<T> extends FieldSchema<T> {
  /** Schemas of single properties. */
  readonly shape?: Readonly<Record<string, FieldSchema>>;
}

type Properties = Readonly<Record<string, JsonValue>>;

/**
 * @param current properties that the object has
 * @returns the value to set, which the schema may have transformed
 * @throws FoldspaceError `FOLD_BAD_VALUE` if the schema refuses the value
 */
export type PropertyCheck = (key: string, value: unknown, current: Properties) => unknown;

/** A fault of a value. */
interface Issue {
  /** The property concerned; `undefined`: the object. */
  readonly key: string | undefined;
  readonly message: string;
  /** Equal for equal issues. */
  readonly identity: string;
}

type Outcome =
  | { readonly isValid: true; readonly data: unknown }
  | { readonly isValid: false; readonly issues: readonly Issue[] };

type Check = (value: unknown) => Outcome;

/**
 * Checks values by a schema: each by its property's own schema, if there is one, and then by that of the object. The object
 * may be incomplete or already invalid, so a value is refused for faults of its property and for new faults only. Values that
 * the object's schema transforms are used only once the object is valid.
 *
 * @param schema `undefined`: nothing is checked
 * @param current properties that the object has
 * @throws FoldspaceError `FOLD_BAD_VALUE` if it is not a schema, or cannot check synchronously
 */
export function createCheck(schema: unknown, current: Properties): PropertyCheck {
  if (schema === undefined || schema === null) return (_key, value) => value;
  const fields = fieldsOf(schema);
  const checkObject = checkOf(schema);
  if (!fields && !checkObject) throw badSchema("it has no shape, no safeParse and no ~standard");
  // an asynchronous schema is refused now, and not at the first assignment
  checkObject?.(current);
  return (key, value, properties) => {
    const ofField = fields?.get(key)?.(value);
    if (ofField && !ofField.isValid) throw refusal(key, ofField.issues);
    const ofObject = checkObject?.(withMember(properties, key, value));
    if (checkObject && ofObject && !ofObject.isValid) assertNoWorse(key, ofObject.issues, checkObject(properties));
    if (ofField) return ofField.data;
    const data = ofObject?.isValid === true ? ofObject.data : undefined;
    return isObject(data) && Object.hasOwn(data, key) ? data[key] : value;
  };
}

function assertNoWorse(key: string, issues: readonly Issue[], before: Outcome): void {
  const known = new Set(before.isValid ? [] : before.issues.map(({ identity }) => identity));
  const found = issues.filter((issue) => issue.key === key || !known.has(issue.identity));
  // a schema that names no fault refuses everything
  if (found.length > 0 || issues.length === 0) throw refusal(key, found);
}

function fieldsOf(schema: unknown): ReadonlyMap<string, Check> | undefined {
  const shape = isObject(schema) ? schema["shape"] : undefined;
  if (!isObject(shape)) return undefined;
  return new Map(
    Object.entries(shape).map(([key, field]) => {
      const check = checkOf(field);
      if (!check) throw badSchema(`its property ${JSON.stringify(key)} has no safeParse and no ~standard`);
      return [key, check];
    }),
  );
}

function checkOf(schema: unknown): Check | undefined {
  if (!isObject(schema)) return undefined;
  const { safeParse, "~standard": standard } = schema;
  if (typeof safeParse === "function")
    return (value) => {
      const result = run(() => (safeParse as (input: unknown) => unknown).call(schema, value));
      if (result["success"] === true) return { isValid: true, data: result["data"] };
      const error = result["error"];
      return { isValid: false, issues: issuesFrom(isObject(error) ? error["issues"] : undefined) };
    };
  if (isObject(standard) && typeof standard["validate"] === "function") {
    const validate = standard["validate"] as (value: unknown) => unknown;
    return (value) => {
      const result = run(() => validate.call(standard, value));
      if (result["issues"] === undefined) return { isValid: true, data: result["value"] };
      return { isValid: false, issues: issuesFrom(result["issues"]) };
    };
  }
  return undefined;
}

function run(check: () => unknown): Readonly<Record<string, unknown>> {
  let result: unknown;
  try {
    result = check();
  } catch (error) {
    throw badSchema(`it fails: ${errorMessage(error)}`, error);
  }
  if (!isObject(result)) throw badSchema("it gives no result");
  if (typeof result["then"] === "function") {
    // its result is not used, so its failure must not surface
    void Promise.resolve(result).catch(() => undefined);
    throw badSchema("it checks asynchronously, and an assignment cannot wait");
  }
  return result;
}

function issuesFrom(issues: unknown): Issue[] {
  if (!Array.isArray(issues)) return [];
  return issues.filter(isObject).map(({ path, message }) => {
    const keys = (Array.isArray(path) ? path : []).map((part: unknown) => String(isObject(part) ? part["key"] : part));
    const text = typeof message === "string" ? message : "";
    return { key: keys[0], message: text, identity: JSON.stringify([keys, text]) };
  });
}

function withMember(properties: Properties, key: string, value: unknown): Readonly<Record<string, unknown>> {
  const others = Object.entries(properties).filter(([other]) => other !== key);
  // fromEntries defines own members, so a member named "__proto__" stays data
  return Object.fromEntries<unknown>(value === undefined ? others : [...others, [key, value]]);
}

/** Some schemas are functions. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function refusal(key: string, issues: readonly Issue[]): FoldspaceError {
  const reasons = [...new Set(issues.map(({ message }) => message).filter((message) => message !== ""))];
  const because = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  return new FoldspaceError("FOLD_BAD_VALUE", `The schema refuses this value of property ${JSON.stringify(key)}${because}`, {
    data: { key },
  });
}

function badSchema(reason: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_BAD_VALUE", `This schema cannot check what is assigned: ${reason}`, { cause });
}
