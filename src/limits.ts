// Limits of the accepted input: counters, lines, values and problems; those of secrets are in `secrets/limits.ts`. Limits of
// memory and time are beside the code that they bound: ARCHITECTURE.md, "Bounds of reading".

/**
 * The highest accepted counter. It leaves room for 2^48 edits and prevents a hostile counter from exhausting the
 * integers that a `number` represents exactly, after which all new operations would share one id.
 */
export const MAX_COUNTER: number = 2 ** 48;

/**
 * The highest counter that advances a replica's clock. Higher counters are valid and order operations as usual, but one
 * line with the highest counter would otherwise stop all peers from editing for good. An edit takes a counter above this
 * limit only to come after an operation that has one, and only while higher counters are left.
 */
export const MAX_CLOCK: number = 2 ** 47;

/** Longest operation, in bytes of its line in UTF-8. */
export const MAX_OPERATION_BYTES: number = 8 * 1024 * 1024;

export const MAX_ID_LENGTH: number = 256;

/** Deepest nesting of arrays and objects in a value; readers may safely recurse to this depth. */
export const MAX_NESTING: number = 256;

/**
 * Longest value together with its key, in UTF-16 units of its JSON text. In UTF-8 that is at most three times as many
 * bytes, which fit, together with the ids, into a line that every reader accepts.
 */
export const MAX_VALUE_LENGTH: number = 2 * 1024 * 1024;

/** Apps may keep more than the id in `space.json`, but not this much. */
export const MAX_SPACE_FILE_BYTES: number = 1024 * 1024;

/** Lines of one file that are reported one by one: a file full of garbage must not fill the memory. */
export const MAX_LINE_PROBLEMS: number = 1_000;

/** Problems of one file that are listed one by one. */
export const MAX_LISTED_OF_FILE: number = 20;

/** Listed problems of all files together. */
export const MAX_LISTED: number = 1_000;
