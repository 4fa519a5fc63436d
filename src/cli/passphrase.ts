import { FoldspaceError } from "../errors.ts";
import type { Context } from "./context.ts";

/** Where a text comes from that must not be seen in a list of processes. */
export interface TextSource {
  /** Named by an option. */
  readonly file: string | undefined;
  /** Variable of the environment that may hold it. */
  readonly variable: string;
  /** What to ask for on a terminal. */
  readonly question: string;
  /** What to ask the second time, where it is to be typed twice. */
  readonly confirmation?: string;
}

/**
 * A passphrase: from the file, else from the variable, else from the terminal.
 * @throws FoldspaceError `FOLD_SECRETS_LOCKED` where it is in none of them, `FOLD_WRONG_PASSPHRASE` where it was typed differently
 */
export async function readPassphrase(context: Context, { file, variable, question, confirmation }: TextSource): Promise<string> {
  const { stdin, variables } = context.environment;
  if (file !== undefined) return await readTextFile(context, file);
  const given = variables[variable];
  if (given !== undefined) return given;
  if (!stdin.isTTY)
    throw new FoldspaceError("FOLD_SECRETS_LOCKED", `A passphrase is needed: on a terminal, in a file, or in ${variable}`);
  const typed = await stdin.readHidden(question);
  if (confirmation !== undefined && (await stdin.readHidden(confirmation)) !== typed)
    throw new FoldspaceError("FOLD_WRONG_PASSPHRASE", "The two are not the same; nothing was changed");
  return typed;
}

/** A secret's value: from the file, else from stdin where something is piped in, else from the terminal. */
export async function readValue(context: Context, file: string | undefined, name: string): Promise<string> {
  const { stdin } = context.environment;
  if (file !== undefined) return await readTextFile(context, file);
  if (stdin.isTTY) return await stdin.readHidden(`Value of ${name}: `);
  return withoutLineEnd(await stdin.readAll());
}

async function readTextFile(context: Context, file: string): Promise<string> {
  const path = context.path(file);
  const bytes = await context.environment.fs.read(path);
  if (bytes) return withoutLineEnd(new TextDecoder().decode(bytes));
  throw new FoldspaceError("FOLD_NOT_FOUND", `There is no file ${path}`, { data: { path } });
}

/** Editors and `echo` put one at the end. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
