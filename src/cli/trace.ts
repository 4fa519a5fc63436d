import { formatTraceEvent, traceOptionsOf, type TraceOptions } from "../trace.ts";
import type { Context } from "./context.ts";
import { printable } from "./output.ts";

/**
 * Tracing as the environment asks for it: `FOLDSPACE_DEBUG=1` for everything, or `TREE`, `TREE/OPERATION` or `/OPERATION` with
 * the beginnings of ids. Events go to stderr at once, so that a command that hangs or is killed has printed the steps before.
 */
export function commandTrace({ environment: { variables, stderr } }: Context): TraceOptions | undefined {
  return traceOptionsOf(variables["FOLDSPACE_DEBUG"], (event) => {
    // a reader of stderr that is gone is no reason for the command to fail
    stderr.write(`${printable(formatTraceEvent(event))}\n`).catch(() => undefined);
  });
}
