import { errorMessage, FoldspaceError } from "../errors.ts";
import type { JsonValue } from "./json-value.ts";

/** The result of `safeParse`, as in Zod. */
export type ParseResult<T> = { readonly success: true; readonly data: T } | { readonly success: false; readonly error?: unknown };

/** A result of Standard Schema. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** A schema of a single value. */
export interface FieldSchema<T = unknown> {
  /** As in Zod. */
  readonly safeParse?: (input: unknown) => ParseResult<T>;
  /** As in https://standardschema.dev, which Zod, Valibot, ArkType and others follow. */
  readonly "~standard"?: {
    /** Checks a value, and gives it with defaults and transformations, or the issues. */
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
  };
}

/** The parts of a schema that `bind` uses. Zod's schemas and all that follow Standard Schema fit. They must check synchronously. */
export interface SchemaLike<T> extends FieldSchema<T> {
  /** Schemas of single properties. */
  readonly shape?: Readonly<Record<string, FieldSchema>>;
}

type Properties = Readonly<Record<string, JsonValue>>;

/** A fault of a value, as a schema reports it. */
export interface SchemaIssue {
  /** The names and indexes that lead to the part concerned, from the object on; empty: the object as a whole. */
  readonly path: readonly string[];
  readonly message: string;
}

/** Checks the properties of one object. */
export interface ObjectCheck {
  /**
   * @param current properties that the object has
   * @returns the value to set, which the schema may have transformed
   * @throws FoldspaceError `FOLD_BAD_VALUE` if the schema refuses the value; the schema's error is its cause, and `data.issues` has
   *   the issues
   */
  readonly toSet: (key: string, value: unknown, current: Properties) => unknown;
  /** The default of a property that the object lacks; `undefined` if it has none, or if only a complete object would have it. */
  readonly defaultOf: (key: string, current: Properties) => unknown;
  /** The whole object as the schema gives it. @throws FoldspaceError `FOLD_BAD_VALUE` as for `toSet` */
  readonly parse: (current: Properties) => unknown;
  /** The faults of the whole object. */
  readonly issues: (current: Properties) => readonly SchemaIssue[];
}

type Outcome =
  | { readonly isValid: true; readonly data: unknown }
  | { readonly isValid: false; readonly issues: readonly SchemaIssue[]; readonly error: unknown };

type Check = (value: unknown) => Outcome;

/**
 * Checks values by a schema: each by its property's own schema, if there is one, and then by that of the object. The object
 * may be incomplete or already invalid, so a value is refused for faults of its property and for new faults only. Values that
 * the object's schema transforms are used only once the object is valid.
 *
 * @param current properties that the object has
 * @returns `undefined` without a schema
 * @throws FoldspaceError `FOLD_BAD_VALUE` if it is not a schema, or cannot check synchronously
 */
export function createCheck(schema: unknown, current: Properties): ObjectCheck | undefined {
  if (schema === undefined || schema === null) return undefined;
  const fields = fieldsOf(schema);
  const checkObject = checkOf(schema) ?? (fields && checkOfFields(fields));
  if (!checkObject) throw badSchema("it has no shape, no safeParse and no ~standard");
  // an asynchronous schema is refused now, and not at the first assignment
  checkObject(current);
  return {
    toSet(key, value, properties) {
      const ofField = fields?.get(key)?.(value);
      if (ofField && !ofField.isValid) throw refusal(key, ofField);
      const ofObject = checkObject(withMember(properties, key, value));
      if (!ofObject.isValid) assertNoWorse(key, ofObject, checkObject(properties));
      return ofField ? ofField.data : memberOf(ofObject, key, value);
    },
    defaultOf(key, properties) {
      const field = fields?.get(key);
      const outcome = field ? field(undefined) : checkObject(properties);
      return field && outcome.isValid ? outcome.data : memberOf(outcome, key, undefined);
    },
    parse(properties) {
      const outcome = checkObject(properties);
      if (outcome.isValid) return outcome.data;
      throw refusal(undefined, outcome);
    },
    issues(properties) {
      const outcome = checkObject(properties);
      return outcome.isValid ? [] : outcome.issues;
    },
  };
}

/** The member of an object that a schema gives; `otherwise` if the object is not valid, or lacks the member. */
function memberOf(outcome: Outcome, key: string, otherwise: unknown): unknown {
  const data = outcome.isValid ? outcome.data : undefined;
  return isObject(data) && Object.hasOwn(data, key) ? data[key] : otherwise;
}

function assertNoWorse(key: string, now: Outcome & { isValid: false }, before: Outcome): void {
  const known = new Set(before.isValid ? [] : before.issues.map(identityOf));
  const found = now.issues.filter((issue) => issue.path[0] === key || !known.has(identityOf(issue)));
  // a schema that names no fault refuses everything
  if (found.length > 0 || now.issues.length === 0) throw refusal(key, { ...now, issues: found });
}

function identityOf({ path, message }: SchemaIssue): string {
  return JSON.stringify([path, message]);
}

/** Checks an object whose schema has schemas of its properties only. */
function checkOfFields(fields: ReadonlyMap<string, Check>): Check {
  return (value) => {
    const data = { ...(value as object) } as Record<string, unknown>;
    const issues: SchemaIssue[] = [];
    for (const [key, check] of fields) {
      const outcome = check(Object.hasOwn(data, key) ? data[key] : undefined);
      if (!outcome.isValid) issues.push(...withKey(key, outcome.issues));
      else if (outcome.data !== undefined) Object.defineProperty(data, key, { value: outcome.data, enumerable: true });
    }
    return issues.length === 0 ? { isValid: true, data } : { isValid: false, issues, error: undefined };
  };
}

function withKey(key: string, issues: readonly SchemaIssue[]): SchemaIssue[] {
  if (issues.length === 0) return [{ path: [key], message: "is not valid" }];
  return issues.map(({ path, message }) => ({ path: [key, ...path], message }));
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
      return { isValid: false, issues: issuesFrom(isObject(error) ? error["issues"] : undefined), error };
    };
  if (isObject(standard) && typeof standard["validate"] === "function") {
    const validate = standard["validate"] as (value: unknown) => unknown;
    return (value) => {
      const result = run(() => validate.call(standard, value));
      if (result["issues"] === undefined) return { isValid: true, data: result["value"] };
      return { isValid: false, issues: issuesFrom(result["issues"]), error: undefined };
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

function issuesFrom(issues: unknown): SchemaIssue[] {
  if (!Array.isArray(issues)) return [];
  return issues.filter(isObject).map(({ path, message }) => ({
    // some libraries give their own kind of list
    path: Array.from((path ?? []) as Iterable<unknown>, (part) => String(isObject(part) ? part["key"] : part)),
    message: typeof message === "string" ? message : "",
  }));
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

/** @param key of the property that was to be set; `undefined`: the object was read */
function refusal(key: string | undefined, { issues, error }: Outcome & { isValid: false }): FoldspaceError {
  const reasons = [...new Set(issues.map((issue) => reasonOf(issue, key)).filter((reason) => reason !== ""))];
  const what =
    key === undefined
      ? "These properties do not fit the schema"
      : `The schema refuses this value of property ${JSON.stringify(key)}`;
  const text = reasons.length === 0 ? what : `${what}: ${reasons.join("; ")}`;
  const details = issues.length === 0 ? {} : { issues };
  const named = issues.length === 0 ? undefined : Object.assign(new Error(reasons.join("; ")), { name: "SchemaError", issues });
  return new FoldspaceError("FOLD_BAD_VALUE", text, {
    data: { ...(key === undefined ? {} : { key }), ...details },
    cause: error ?? named,
  });
}

function reasonOf({ path, message }: SchemaIssue, key: string | undefined): string {
  return key === undefined && path.length > 0 ? `${path.join(".")}: ${message}` : message;
}

function badSchema(reason: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_BAD_VALUE", `This schema cannot check what is assigned: ${reason}`, { cause });
}
