import { FoldspaceError } from "../errors.ts";
import type { Context } from "./context.ts";
import { decodeText } from "./decode-text.ts";

/** The possible sources of a text that must not appear in a list of processes. */
export interface TextSource {
  /** File that an option names. */
  readonly file: string | undefined;
  /** Environment variable that may contain the text. */
  readonly variable: string;
  /** Prompt on a terminal. */
  readonly question: string;
  /** Prompt for the repetition, if the text must be typed twice. */
  readonly confirmation?: string;
}

/**
 * Reads a passphrase from the file, else from the variable, else from the terminal.
 * @throws FoldspaceError `FOLD_SECRETS_LOCKED` if none has it, `FOLD_BAD_UTF8` for a file in another encoding, `FOLD_WRONG_PASSPHRASE` if the repetition differs
 */
export async function readPassphrase(context: Context, { file, variable, question, confirmation }: TextSource): Promise<string> {
  const { stdin, variables } = context.environment;
  if (file !== undefined) return await readTextFile(context, file);
  const given = variables[variable];
  if (given !== undefined) return given;
  if (!stdin.isTTY)
    throw new FoldspaceError(
      "FOLD_SECRETS_LOCKED",
      `A passphrase is needed: run the command on a terminal, name a file that contains it (see --help), or set ${variable}`,
    );
  const typed = await stdin.readHidden(question);
  if (confirmation !== undefined && (await stdin.readHidden(confirmation)) !== typed)
    throw new FoldspaceError("FOLD_WRONG_PASSPHRASE", "The two are not the same; nothing was changed");
  return typed;
}

/** Reads a secret's value from the file, else from piped stdin, else from the terminal. */
export async function readValue(context: Context, file: string | undefined, name: string): Promise<string> {
  const { stdin } = context.environment;
  if (file !== undefined) return await readTextFile(context, file);
  if (stdin.isTTY) return await stdin.readHidden(`Value of ${name}: `);
  return withoutLineEnd(decodeText(await stdin.readAll(), "What is piped in"));
}

async function readTextFile(context: Context, file: string): Promise<string> {
  const path = context.path(file);
  const bytes = await context.environment.fs.read(path);
  if (bytes) return withoutLineEnd(decodeText(bytes, path));
  throw new FoldspaceError("FOLD_NOT_FOUND", `There is no file ${path}`, { data: { path } });
}

/** Removes the line end that editors and `echo` add. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
