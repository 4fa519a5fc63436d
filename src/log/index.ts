export { encodeLine, MAX_LINE_BYTES } from "./line.ts";
export type { LineFault } from "./line.ts";
export { LogParser } from "./parser.ts";
export type { LineProblem } from "./line-problem.ts";
export type { LogParserOptions, LogPosition } from "./parser.ts";
export {
  canNameLog,
  classifyLogFile,
  isIgnoredName,
  isPathSafeId,
  logFilePath,
  LOST_DIR,
  OPS_DIR,
  SPACE_DIR,
  SPACE_FILE,
  treeDir,
} from "./paths.ts";
export type { LogFile } from "./paths.ts";
export {
  APP_FOREST_NAME,
  encodeSpaceFile,
  GIT_ATTRIBUTES,
  README_FILE,
  README_FILES,
  README_TEXT,
  parseSpaceFile,
} from "./space-files.ts";
export type { SpaceFile } from "./space-files.ts";
