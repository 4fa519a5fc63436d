import { systemClock } from "../clock.ts";
import { type Problem, toFoldspaceError } from "../errors.ts";
import { SECRETS_FILE } from "../log/secrets-paths.ts";
import { Vault } from "../secrets/vault.ts";
import { FolderSecrets } from "../layers/folder/folder-secrets.ts";
import { READABLE } from "../layers/folder/plain-remains.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";

/** Finds problems of the secrets in a folder that are visible without a passphrase. Changes nothing. */
export async function findSecretsProblems(folder: SpaceFolder, spaceId: string): Promise<Problem[]> {
  const secrets = new FolderSecrets(folder, spaceId, systemClock);
  // it only reads, so it needs no peer id of its own
  const vault = new Vault(spaceId, "reader");
  try {
    const { sealed } = await secrets.load();
    await vault.read(secrets, sealed);
  } catch (error) {
    const { code, message } = toFoldspaceError(error);
    return [{ code, reason: message, file: SECRETS_FILE }];
  }
  const isProtected = vault.protection !== "none";
  const remains = (isProtected ? secrets.remains : []).map((file): Problem => {
    const reason = `${READABLE}: unlock them once, and it is removed`;
    return { code: "FOLD_SECRETS_UNPROTECTED", reason, file };
  });
  return [...secrets.problems.value, ...vault.problems, ...remains];
}
