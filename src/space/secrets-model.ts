import type { Problem } from "../errors.ts";
import type { StoredSecrets } from "../layers/persistence-layer.ts";
import { assertMayGrow } from "../secrets/limits.ts";
import { keyBytes } from "../secrets/plain-file.ts";
import { areEqual, differences, mergeValue, setOrDelete, type SecretMap } from "../secrets/secret-map.ts";
import type { Vault } from "../secrets/vault.ts";
import { PlainSecrets } from "./plain-secrets.ts";

/** Limits of the names in a problem, and of the characters in each. */
const MAX_NAMES_SHOWN = 5;
const MAX_NAME_SHOWN = 40;

/** The secrets in memory: those under a passphrase, those without, and the choice between the two. */
export class SecretsModel {
  readonly plain: PlainSecrets = new PlainSecrets();
  readonly vault: Vault;
  readonly #spaceId: string;
  /** Whether secrets are leaving the vault. They are not moved back into it meanwhile. */
  #isLeavingVault = false;
  /** Secrets that were set without a passphrase before a vault was open to compare them with. */
  readonly #setHere = new Map<string, string>();
  /** Values that were removed from the unprotected secrets, because the vault has the same. */
  readonly #takenOut = new Map<string, string>();

  constructor(spaceId: string, vault: Vault) {
    this.#spaceId = spaceId;
    this.vault = vault;
  }

  /** Empty while locked. */
  get values(): SecretMap {
    const { protection } = this.vault;
    if (protection === "locked") return new Map();
    if (protection === "none") return new Map(this.plain.values);
    const values = new Map(this.vault.secrets);
    for (const [name, value] of this.plain.values) if (!this.vault.has(name)) values.set(name, value);
    return values;
  }

  /** `undefined` while locked. */
  get(name: string): string | undefined {
    const { protection } = this.vault;
    if (protection === "locked") return undefined;
    return protection === "unlocked" && this.vault.has(name) ? this.vault.get(name) : this.plain.values.get(name);
  }

  get problems(): Problem[] {
    const conflicts = this.#conflicts;
    return conflicts.length === 0 ? this.vault.problems : [...this.vault.problems, unprotectedProblem(conflicts)];
  }

  /** Whether a secret of that name exists, or another value without protection. */
  has(name: string): boolean {
    return this.get(name) !== undefined || this.plain.values.has(name);
  }

  /**
   * @param value `undefined` deletes
   * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`, `FOLD_BAD_ID`; nothing has changed then
   */
  set(name: string, value: string | undefined): void {
    if (this.vault.protection === "unlocked") {
      this.vault.setAll(new Map([[name, value]]));
      this.#takenOut.delete(name);
      // setting a secret also decides about another value without protection
      if (!this.#isLeavingVault) this.plain.set(name, undefined);
    } else {
      keyBytes(this.#spaceId);
      assertMayGrow(this.plain.size, this.plain.sizeWith(name, value));
      this.plain.set(name, value);
      setOrDelete(this.#setHere, name, value);
    }
  }

  /** Puts all secrets under a passphrase. @returns the recovery code @throws FoldspaceError as {@link Vault.protect} */
  async protect(passphrase: string): Promise<string> {
    const code = await this.vault.protect(passphrase, this.plain.values);
    this.applyProtection();
    this.#takenOut.clear();
    return code;
  }

  /**
   * Removes the protection.
   * @param save has every layer save the unprotected secrets
   * @throws the error of `save`: all secrets are protected as before then
   */
  async unprotect(save: () => Promise<void>): Promise<void> {
    await this.vault.unifyKeys();
    this.#isLeavingVault = true;
    try {
      await this.#copyOutOfVault(save);
      this.vault.end();
    } finally {
      this.#isLeavingVault = false;
    }
  }

  /** Merges the present content of a source; `undefined` if the source has lost all. */
  async receive(source: object, stored: StoredSecrets | undefined): Promise<void> {
    this.plain.receive(source, stored);
    await this.vault.read(source, stored?.sealed ?? []);
  }

  forget(source: object): void {
    this.plain.forget(source);
    this.vault.forget(source);
  }

  /** Moves secrets into or out of the vault, as required. @throws FoldspaceError as {@link set}; none is lost then */
  applyProtection(): void {
    if (this.#isLeavingVault) return;
    if (this.vault.protection === "unlocked") this.#moveIntoVault();
    else if (this.vault.protectionEnded) this.#moveOutOfVault();
    else this.#takenOut.clear();
  }

  async #copyOutOfVault(save: () => Promise<void>): Promise<void> {
    let copied: SecretMap = new Map();
    try {
      do {
        for (const [name, { to }] of differences(copied, this.vault.secrets)) this.plain.set(name, to);
        copied = this.vault.secrets;
        await save();
        // a secret that was set meanwhile must be in its new place too before it leaves the old one
      } while (!areEqual(copied, this.vault.secrets));
    } catch (error) {
      for (const name of copied.keys()) this.plain.set(name, undefined);
      throw error;
    }
  }

  /**
   * An app or device that does not know of the protection may have written secrets without it, but so may anyone who has the
   * folder. Therefore a secret that was ever protected changes only to a value that was set here.
   */
  #moveIntoVault(): void {
    const values = [...this.plain.values];
    const { secrets } = this.vault;
    const isOurs = (name: string, value: string): boolean => !this.vault.has(name) || this.#setHere.get(name) === value;
    const moved = values.filter(([name, value]) => secrets.get(name) !== value && isOurs(name, value));
    this.vault.setAll(new Map(moved));
    this.#setHere.clear();
    const now = this.vault.secrets;
    for (const [name, value] of this.#takenOut) if (now.get(name) !== value) this.#takenOut.delete(name);
    for (const [name, value] of values) {
      if (now.get(name) !== value) continue;
      this.plain.set(name, undefined);
      this.#takenOut.set(name, value);
    }
  }

  /**
   * The device that has ended the protection may not have known all secrets. Changes that others made under the protection
   * meanwhile are applied here too, unless the secrets were changed again without protection. The secrets that the device stored
   * without protection may have arrived earlier, and have been removed here.
   */
  #moveOutOfVault(): void {
    for (const [name, value] of this.#takenOut) if (!this.plain.values.has(name)) this.plain.set(name, value);
    this.#takenOut.clear();
    for (const [name, { before, value }] of this.vault.late) {
      const present = this.plain.values.get(name);
      const merged = mergeValue(before, present, value);
      if (merged !== present) this.plain.set(name, merged);
    }
  }

  /** Names of secrets whose values without protection differ from those under it. */
  get #conflicts(): string[] {
    if (this.vault.protection !== "unlocked" || this.#isLeavingVault) return [];
    const isConflict = (name: string, value: string): boolean => this.vault.has(name) && this.vault.get(name) !== value;
    return [...this.plain.values].flatMap(([name, value]) => (isConflict(name, value) ? name : []));
  }
}

/** Names come from files that anyone may have written, so only a readable part of them is shown. */
function unprotectedProblem(names: readonly string[]): Problem {
  const shown = names
    .toSorted()
    .slice(0, MAX_NAMES_SHOWN)
    .map((name) => JSON.stringify(name.slice(0, MAX_NAME_SHOWN)));
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return {
    code: "FOLD_SECRETS_UNPROTECTED",
    reason:
      `other values of ${shown.join(", ")} are stored without protection, where anyone who has the folder can put them: ` +
      "they are not used, and are removed when these secrets are set or deleted again",
  };
}
