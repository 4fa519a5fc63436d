import { isAbsolute, resolve, sep } from "node:path";
import { SpaceFolder } from "../layers/folder/space-folder.ts";
import type { Environment } from "./environment.ts";
import { Output } from "./output.ts";

/** One run of the command. */
export class Context {
  readonly environment: Environment;
  readonly output: Output;
  /** Becomes 1 if a command that did its work found problems. */
  exitCode: 0 | 1 = 0;
  /** Whether results and errors are printed for a program. */
  isJson = false;

  constructor(environment: Environment) {
    this.environment = environment;
    this.output = new Output(environment);
  }

  /** Absolute path for a path that the user gave. */
  path(named: string): string {
    const path = isAbsolute(named) ? resolve(named) : resolve(this.environment.cwd, named);
    return sep === "/" ? path : path.replaceAll(sep, "/");
  }

  folder(directory: string): SpaceFolder {
    return new SpaceFolder(this.environment.fs, this.path(directory));
  }
}
