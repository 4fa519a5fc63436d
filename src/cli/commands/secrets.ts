import type { Command } from "commander";
import { FoldspaceError } from "../../errors.ts";
import { FileSystemPersistenceLayer } from "../../layers/folder/file-system-layer.ts";
import { assertDurable } from "../../space/layer-set.ts";
import { SpaceSecrets } from "../../space/space-secrets.ts";
import { newId } from "../../tree/index.ts";
import type { Context } from "../context.ts";
import { count, printable } from "../output.ts";
import { readPassphrase, readValue } from "../passphrase.ts";
import { isComposedAlike } from "../same-text.ts";
import { openSeenSecrets } from "../seen-secrets.ts";

interface Options {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
  readonly valueFile?: string;
  readonly acceptOlder?: true;
  readonly json?: true;
}

const TIMEOUT_MS = 30_000;

export function register(program: Command, context: Context): void {
  const secrets = program
    .command("secrets")
    .summary("read, set and protect the secrets of a space")
    .description(
      "Read, set and protect the secrets of a space: short texts by name, such as keys of services.\n\n" +
        "Without a passphrase, anyone who has the folder can read them. A passphrase is read from --passphrase-file, from " +
        "FOLDSPACE_PASSPHRASE or from the terminal; never from an argument, which other users of the machine can see.",
    )
    .addHelpText("after", "\nExample:\n  $ foldspace secrets list ~/Notes");

  subcommand(secrets, "list", "print the names of the secrets", "list ~/Notes").action(
    async (directory: string, options: Options) => {
      const { protection, names } = await withSecrets(context, directory, options, "read", async (opened) => ({
        protection: opened.protection,
        names: opened.keys(),
      }));
      if (options.json) await context.output.json({ protection, names });
      else for (const name of names) await context.output.line(printable(name));
    },
  );

  subcommand(secrets, "get", "print a secret", "get ~/Notes api-key")
    .argument("<name>", "name of the secret")
    .action(async (directory: string, name: string, options: Options) => {
      const secret = await withSecrets(context, directory, options, "read", async (opened) => {
        const found = findSecret(opened, name);
        return { name: found, value: opened.get(found)! };
      });
      const { stdout } = context.environment;
      if (options.json) await context.output.json(secret);
      else await context.output.line(stdout.isTTY ? printable(secret.value) : secret.value);
    });

  subcommand(secrets, "set", "set a secret", "set ~/Notes api-key < key.txt")
    .argument("<name>", "name of the secret")
    .option(
      "--value-file <file>",
      "file with the value. Default: stdin if it is not a terminal; otherwise the command asks for it",
    )
    .action(async (directory: string, name: string, options: Options) => {
      const value = await readValue(context, options.valueFile, printable(name));
      await withSecrets(context, directory, options, "write", async (opened) => {
        opened.set(namesLike(opened, name)[0] ?? name, value);
      });
      if (options.json) await context.output.json({ name });
      else await context.output.line(`${printable(name)} set`);
    });

  subcommand(secrets, "rm", "delete a secret", "rm ~/Notes api-key")
    .argument("<name>", "name of the secret")
    .action(async (directory: string, name: string, options: Options) => {
      await withSecrets(context, directory, options, "write", async (opened) => opened.delete(findSecret(opened, name)));
      if (options.json) await context.output.json({ name });
      else await context.output.line(`${printable(name)} deleted`);
    });

  subcommand(secrets, "protect", "protect the secrets with a passphrase", "protect ~/Notes").action(
    async (directory: string, options: Options) => {
      await withSecrets(context, directory, options, "protect", async (opened) => {
        if (opened.protection !== "none")
          throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are already protected by a passphrase");
        const passphrase = await newPassphrase(context, options.passphraseFile, "FOLDSPACE_PASSPHRASE");
        const recoveryCode = await opened.protect(passphrase);
        // printed at once: it may be needed even if a later step fails
        if (options.json) await context.output.json({ recoveryCode });
        else await context.output.line(recoveryCode);
        await context.output.note(
          "This is the recovery code. It unlocks the secrets if the passphrase is forgotten.\n" +
            "It is shown only once. Keep it on paper, away from the folder.",
        );
      });
    },
  );

  subcommand(secrets, "unprotect", "remove the passphrase from the secrets", "unprotect ~/Notes").action(
    async (directory: string, options: Options) => {
      const names = await withSecrets(context, directory, options, "write", async (opened) => {
        await opened.unprotect();
        return opened.keys();
      });
      if (options.json) await context.output.json({ protection: "none" });
      else await context.output.line(`${count(names.length, "secret")} readable without a passphrase now`);
    },
  );

  subcommand(secrets, "passwd", "change the passphrase", "passwd ~/Notes")
    .option(
      "--new-passphrase-file <file>",
      "file with the new passphrase. Default: FOLDSPACE_NEW_PASSPHRASE; otherwise the command asks for it",
    )
    .action(async (directory: string, options: Options) => {
      const recoveryCode = await withSecrets(context, directory, options, "write", async (opened) => {
        if (opened.protection === "none")
          throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are not protected by a passphrase");
        const passphrase = await newPassphrase(context, options.newPassphraseFile, "FOLDSPACE_NEW_PASSPHRASE");
        const code = await opened.changePassphrase(passphrase);
        // printed at once: it may be needed even if a later step fails
        if (code !== undefined && !options.json) await context.output.line(code);
        return code;
      });
      if (options.json) await context.output.json({ protection: "unlocked", ...(recoveryCode ? { recoveryCode } : {}) });
      else if (recoveryCode === undefined) await context.output.line("The passphrase is changed; the recovery code is unchanged");
      else await context.output.note("The passphrase is changed. The line above is the new recovery code: keep it on paper.");
    });
}

function subcommand(parent: Command, name: string, summary: string, example: string): Command {
  return parent
    .command(name)
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .argument("<dir>", "folder of the space")
    .option(
      "--passphrase-file <file>",
      "file with the passphrase or recovery code. Default: FOLDSPACE_PASSPHRASE; otherwise the command asks for it",
    )
    .option("--accept-older", "continue even if the secrets are older than the version that this device has seen")
    .option("--json", "print the result as JSON")
    .addHelpText("after", `\nExample:\n  $ foldspace secrets ${example}`);
}

/**
 * Opens the secrets of a folder, unlocks them if needed, and closes them when everything is saved.
 * @param purpose `protect` does not unlock them
 * @throws FoldspaceError `FOLD_NOT_DURABLE`, and the errors of opening, unlocking and using the secrets
 */
async function withSecrets<T>(
  context: Context,
  directory: string,
  options: Options,
  purpose: "read" | "write" | "protect",
  use: (secrets: SpaceSecrets) => Promise<T>,
): Promise<T> {
  const folder = context.folder(directory);
  const { id } = await folder.open();
  const isReadOnly = purpose === "read";
  const layer = new FileSystemPersistenceLayer(folder.path, id, { fs: context.environment.fs });
  const memory = openSeenSecrets(context.environment);
  const secrets = new SpaceSecrets(id, { isReadOnly, timeoutMs: TIMEOUT_MS }, memory ? { deviceStore: memory } : {});
  await layer.connect({ peerId: newId(), isReadOnly });
  try {
    // unreadable secrets are an error here, not a problem to show later
    await layer.loadSecrets();
    await secrets.attach(layer);
    if (purpose !== "protect" && secrets.protection === "locked") {
      const { passphraseFile: file, acceptOlder = false } = options;
      const passphrase = await readPassphrase(context, { file, variable: "FOLDSPACE_PASSPHRASE", question: "Passphrase: " });
      await secrets.unlock(passphrase, { acceptOlder });
    }
    const result = await use(secrets);
    assertDurable(await secrets.flush());
    for (const { code, file, reason } of [...layer.problems, ...secrets.problems])
      await context.output.note(`foldspace: ${file === undefined ? "" : `${printable(file)}: `}${printable(reason)} (${code})`);
    return result;
  } finally {
    secrets.close();
    await layer.disconnect();
  }
}

async function newPassphrase(context: Context, file: string | undefined, variable: string): Promise<string> {
  return await readPassphrase(context, {
    file,
    variable,
    question: "New passphrase: ",
    confirmation: "The same again: ",
  });
}

/** @throws FoldspaceError `FOLD_NO_SECRET` if there is none of that name */
function findSecret(secrets: SpaceSecrets, name: string): string {
  const [found] = namesLike(secrets, name);
  if (found !== undefined) return found;
  throw new FoldspaceError("FOLD_NO_SECRET", `There is no secret ${JSON.stringify(printable(name))}`);
}

/**
 * The secret of a name, or else the one whose name differs only in how its letters are composed.
 * @throws FoldspaceError `FOLD_NO_SECRET` if there are several of those
 */
function namesLike(secrets: SpaceSecrets, name: string): readonly string[] {
  const names = secrets.keys();
  if (names.includes(name)) return [name];
  const alike = names.filter((each) => isComposedAlike(each, name));
  if (alike.length <= 1) return alike;
  const shown = JSON.stringify(printable(name));
  throw new FoldspaceError("FOLD_NO_SECRET", `${shown} fits ${alike.length} secrets, whose letters are composed differently`);
}
