import { Command, CommanderError } from "commander";
import { errorMessage, isError, isFoldspaceError, systemCode } from "../errors.ts";
import { Context } from "./context.ts";
import type { Environment } from "./environment.ts";
import { printable } from "./output.ts";
import { readVersion } from "./version.ts";

type Definition = (program: Command, context: Context) => void;

/** Loaded on demand, so that a command starts without the code of the others. */
const COMMANDS: ReadonlyMap<string, () => Promise<{ readonly register: Definition }>> = new Map([
  ["init", () => import("./commands/init.ts")],
  ["info", () => import("./commands/info.ts")],
  ["tree", () => import("./commands/tree.ts")],
  ["export", () => import("./commands/export.ts")],
  ["log", () => import("./commands/log.ts")],
  ["watch", () => import("./commands/watch.ts")],
  ["serve", () => import("./commands/serve.ts")],
  ["add", () => import("./commands/add.ts")],
  ["set", () => import("./commands/set.ts")],
  ["move", () => import("./commands/move.ts")],
  ["rm", () => import("./commands/rm.ts")],
  ["verify", () => import("./commands/verify.ts")],
  ["repair", () => import("./commands/repair.ts")],
  ["pack", () => import("./commands/pack.ts")],
  ["doctor", () => import("./commands/doctor.ts")],
  ["join", () => import("./commands/join.ts")],
  ["clone", () => import("./commands/clone.ts")],
  ["secrets", () => import("./commands/secrets.ts")],
  ["migrate", () => import("./commands/migrate.ts")],
]);

const USAGE_ERROR = 2;

/**
 * Runs one command.
 * @param args as typed, without the name of the program
 * @returns exit code: 0 fine, 1 a problem was found or the work failed, 2 wrong usage
 */
export async function run(args: readonly string[], environment: Environment): Promise<number> {
  const context = new Context(environment);
  try {
    const code = await parseAndRun(args, context);
    await context.output.flush();
    return code;
  } catch (error) {
    // the reader has closed the output, as in `foldspace log DIR | head`
    if (isBrokenPipe(error)) return context.exitCode;
    throw error;
  }
}

async function parseAndRun(args: readonly string[], context: Context): Promise<number> {
  try {
    const program = await createProgram(args[0], context);
    await program.parseAsync(args, { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_ERROR;
    if (isBrokenPipe(error)) throw error;
    await report(error, context);
    return 1;
  }
}

async function createProgram(name: string | undefined, context: Context): Promise<Command> {
  const { output } = context;
  const program = new Command("foldspace")
    .description("Works with spaces: trees that apps keep in a folder of text files, and that any sync service carries.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpCommand("help [command]", "show how a command is used")
    .showHelpAfterError("(--help shows how it is used)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.append(text),
      writeErr: (text) => output.appendNote(text),
      outputError: (text, write) => write(text.replace(/^error: /, "foldspace: ")),
    })
    .hook("preAction", (_, action) => {
      context.isJson = action.opts<{ json?: true }>().json === true;
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 a problem was found or the work failed, 2 wrong usage.\n\nExample:\n  $ foldspace info ~/Notes",
    );
  const named = COMMANDS.get(name ?? "");
  for (const load of named ? [named] : COMMANDS.values()) (await load()).register(program, context);
  return program;
}

async function report(error: unknown, { output, isJson }: Context): Promise<void> {
  const code = isFoldspaceError(error) ? error.code : "FOLD_IO";
  const message = errorMessage(error);
  if (isJson) await output.json({ error: { code, message, ...(isFoldspaceError(error) ? error.data : {}) } });
  await output.note(`foldspace: ${printable(message)} (${code})`);
  // any other error is a bug of ours; the stack helps to find it
  if (!isFoldspaceError(error) && isError(error)) await output.note(error.stack ?? "");
}

function isBrokenPipe(error: unknown): boolean {
  return systemCode(error) === "EPIPE";
}
