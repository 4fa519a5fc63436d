import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, FoldspaceError, systemCode } from "../errors.ts";
import { makeStateFolder } from "../peers/node/state-folder.ts";
import type { DeviceStore, SeenSecrets } from "../secrets/device-store.ts";
import type { Environment } from "./environment.ts";

type SeenByKey = Readonly<Record<string, SeenSecrets>>;

/**
 * Keeps, for each space, a file of the user's own below `$XDG_STATE_HOME` that records the seen versions of its secrets.
 * The file contains no secret and no key.
 * @returns `undefined` if the user has no such folder
 */
export function openSeenSecrets({ variables }: Environment): DeviceStore | undefined {
  const { XDG_STATE_HOME, HOME, LOCALAPPDATA } = variables;
  const state = XDG_STATE_HOME || (HOME ? join(HOME, ".local", "state") : LOCALAPPDATA);
  return state ? new SeenSecretsFiles(join(state, "foldspace", "secrets")) : undefined;
}

class SeenSecretsFiles implements DeviceStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async loadSeen(spaceId: string, keyId: string): Promise<SeenSecrets | undefined> {
    return this.#read(spaceId)[keyId];
  }

  async saveSeen(spaceId: string, keyId: string, seen: SeenSecrets): Promise<void> {
    try {
      makeStateFolder(this.#folder);
      const temporary = join(this.#folder, `.${randomUUID()}.tmp`);
      writeFileSync(temporary, JSON.stringify({ ...this.#read(spaceId), [keyId]: seen }), { mode: 0o600 });
      renameSync(temporary, this.#path(spaceId));
    } catch (cause) {
      const message =
        `The versions of the secrets that this device has seen cannot be kept in ${this.#folder}, so that older secrets ` +
        `would pass unnoticed (${errorMessage(cause)}): set XDG_STATE_HOME to a folder that this user can write to`;
      throw new FoldspaceError("FOLD_PERMISSION", message, { data: { path: this.#folder }, cause });
    }
  }

  #path(spaceId: string): string {
    return join(this.#folder, `${spaceId}.json`);
  }

  #read(spaceId: string): SeenByKey {
    let text: string;
    try {
      text = readFileSync(this.#path(spaceId), "utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return {};
      throw error;
    }
    return JSON.parse(text) as SeenByKey;
  }
}
