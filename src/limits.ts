// What is accepted from outside, and how much of it. Every parser and every reader takes its limits from here; those of secrets
// are in `secrets/limits.ts`.

/**
 * The highest counter accepted. It leaves room for 2^48 edits and keeps a hostile counter from using up
 * the integers that a `number` holds exactly, after which every new operation would share one id.
 */
export const MAX_COUNTER: number = 2 ** 48;

/**
 * The highest counter that moves a replica's clock on. Those above it are valid, and order operations as ever; but one line
 * with the highest would otherwise keep everybody from editing for good. An edit takes a counter above this only to come
 * after an operation that has one, and may be made as long as there is one.
 */
export const MAX_CLOCK: number = 2 ** 47;

/** Longest operation, in bytes of the line that it is written as, in UTF-8. */
export const MAX_OPERATION_BYTES: number = 8 * 1024 * 1024;

export const MAX_ID_LENGTH: number = 256;

/** Deepest nesting of arrays and objects that a value may have; readers may recurse that far safely. */
export const MAX_NESTING: number = 256;

/**
 * Longest value together with its key, in UTF-16 units of its JSON text. In UTF-8 that is at most three
 * times as many bytes, which with the ids fits into a line that every reader accepts.
 */
export const MAX_VALUE_LENGTH: number = 2 * 1024 * 1024;

/** Apps may keep more in `space.json` than the id, but nothing that takes as much. */
export const MAX_SPACE_FILE_BYTES: number = 1024 * 1024;

/** So many lines of one file are reported one by one: a file of nothing but garbage must not fill the memory. */
export const MAX_LINE_PROBLEMS: number = 1_000;

/** So many problems of one file are listed one by one. */
export const MAX_LISTED_OF_FILE: number = 20;

/** So many of all files together. */
export const MAX_LISTED: number = 1_000;
