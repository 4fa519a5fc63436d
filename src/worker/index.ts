export { Parsing } from "./parsing.ts";
export type { ParsedLog, ParseJob, ParsingOptions } from "./parsing.ts";
