import { webCrypto } from "../../web-crypto.ts";
import { randomId } from "../../random-id.ts";
import type { Clock } from "../../clock.ts";
import { errorCode, errorMessage, FoldspaceError, type FoldspaceErrorCode, type Problem } from "../../errors.ts";
import {
  brokenSecretsPath,
  classifySecretsFile,
  foldedCopyPath,
  SECRETS_FILE,
  temporarySecretsPath,
  type SecretsFileKind,
} from "../../log/secrets-paths.ts";
import { findAncestors } from "../../log/copy-marks.ts";
import { SPACE_DIR } from "../../log/paths.ts";
import { describePointer, NOT_DOWNLOADED } from "../../log/placeholders.ts";
import { toHex, utf8 } from "../../secrets/encoding.ts";
import { assertFileSize, MAX_COPIES, MAX_SECRETS_FILE_BYTES } from "../../secrets/limits.ts";
import { openPlainText } from "../../secrets/plain-conflict.ts";
import { isReadablePlainText, PLAIN_PREFIX_LENGTH, salvagePlainFile, sealPlainFile } from "../../secrets/plain-file.ts";
import {
  applyChanges,
  areEqual,
  differences,
  mergeMaps,
  setOrDelete,
  type SecretChange,
  type SecretChanges,
  type SecretMap,
} from "../../secrets/secret-map.ts";
import type { StoredSecrets } from "../persistence-layer.ts";
import type { SpaceFolder } from "./space-folder.ts";

/**
 * No person reads, changes and saves secrets so soon after this instance has written them: a writer that replaced the file
 * within this time had read the contents before them.
 */
const CONFIRM_MS = 2_000;
/** Delay before a written file is read again, to check whether another writer has replaced it in the same moment. */
const READ_BACK_MS = 200;
const MAX_ATTEMPTS = 10;
/** Limit for all copies that are read, including those that do not decrypt. */
const MAX_COPIES_TRIED = 4 * MAX_COPIES;
/** Remembered texts of this instance, of which a sync service may make copies. */
const MAX_OWN_TEXTS = 32;

interface Unconfirmed extends SecretChange {
  /** Milliseconds since the epoch. */
  readonly until: number;
}

interface Copy {
  readonly path: string;
  readonly text: string;
  readonly secrets: SecretMap;
  /** The secrets from which the copy was made, if known. */
  readonly base: SecretMap | undefined;
  /** Whether this instance has written the text. */
  readonly isOwn: boolean;
  /** Whether it is the version from before both changes of a conflict, and not a side of it. */
  readonly isAncestor: boolean;
}

/** How to treat files that were left behind, or do not decrypt. */
interface ReadingOptions {
  /** Whether they are about to be removed, so that their secrets must be merged first. */
  readonly isProtected: boolean;
}

/** The file and its copies, as found by a read. */
interface Found {
  /** `undefined` if there is no file. */
  readonly text: string | undefined;
  /** Its secrets, merged with its copies and with changes that another writer overwrote. */
  readonly values: Map<string, string>;
  readonly copies: readonly Copy[];
  readonly isBroken: boolean;
  /** Whether it contains several versions, between the markers of a conflict. */
  readonly isConflict: boolean;
  /** Files that were set aside. */
  readonly remains: readonly string[];
  /** Copies that do not decrypt, but are readable with the space's id. */
  readonly torn: readonly string[];
  /** Whether the file itself is such a file. */
  readonly isTorn: boolean;
}

interface MainFile {
  readonly kind: "absent" | "whole" | "conflict" | "broken";
  /** Of a conflict, if the file contains it. */
  readonly ancestor?: SecretMap;
}

const NO_SECRETS: SecretMap = new Map();

/**
 * The file `secrets`, which every device replaces as a whole. No lock protects it: this class reads it again before and after
 * every write, and repeats changes that another writer has overwritten.
 *
 * The first three states are the file's, the fourth is a change's, the last two are a copy's:
 *
 * | state | means | leaves it when |
 * | --- | --- | --- |
 * | `#found.text` undefined | no file; `#secrets` keeps the secrets read last | a device that has secrets saves them |
 * | `#found.isBroken` | it does not decrypt; `#secrets` keeps the secrets read last | a `save` with changes replaces it |
 * | `#found.isConflict` | it contains several versions; `#secrets` merges them | a `save` replaces it, and keeps it as a copy |
 * | otherwise | `#secrets` is its contents | another program removes or damages the file |
 * | in `#unconfirmed` | a read that finds the value before the change repeats it | `until` passes, or `save` sets another value |
 * | in `#copies` | each read merges the copy | a write contains it: absorbed; if it adds nothing: `save` sets it aside |
 * | also in `#absorbed` | the file contains the copy: no read merges it | `save` ends by setting it aside |
 *
 * With `isProtected`, a `save` removes copies and files that were set aside, and replaces a broken file that is readable.
 * Another device may replace the file in any state.
 */
export class PlainSecretsFile {
  readonly #folder: SpaceFolder;
  readonly #spaceId: string;
  readonly #clock: Clock;
  #problems: readonly Problem[] = [];
  #found: Found | undefined;
  /** The secrets in the file, as last read. */
  #secrets: SecretMap = NO_SECRETS;
  /** The last secrets that another writer wrote, or that were there at first. */
  #foreign: SecretMap = NO_SECRETS;
  /**
   * By text that this instance wrote: the secrets in the file before that, without those that this instance has set since. Empty
   * for texts under a protection.
   */
  readonly #ownTexts = new Map<string, Map<string, string>>();
  readonly #unconfirmed = new Map<string, Unconfirmed>();
  #copies: readonly Copy[] = [];
  /** Copies that are already merged into the file, but not set aside yet. */
  #absorbed = new Set<Copy>();

  constructor(folder: SpaceFolder, spaceId: string, clock: Clock) {
    this.#folder = folder;
    this.#spaceId = spaceId;
    this.#clock = clock;
  }

  /** Problems of the last read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Files that were set aside, and copies that do not decrypt but are readable. */
  get remains(): readonly string[] {
    return this.#found ? [...this.#found.remains, ...this.#found.torn] : [];
  }

  /** The texts that were found, for comparison. */
  get fingerprint(): string {
    return JSON.stringify([this.#found?.text, this.#copies.map(({ path, text }) => [path, text])]);
  }

  /** @throws FoldspaceError if reading fails; a file that does not decrypt is a problem instead */
  async read(): Promise<Omit<StoredSecrets, "sealed">> {
    const found = await this.#read();
    const isUntidy = found.isConflict || found.copies.length > 0 || !areEqual(found.values, this.#secrets);
    const hasRemains = found.isTorn || found.torn.length > 0 || found.remains.length > 0;
    return { values: found.values, isUntidy, hasRemains, isGone: isGone(found, found.values) };
  }

  /**
   * Applies changes to the present contents of the file.
   * @param isProtected whether to delete remains of earlier secrets
   * @throws FoldspaceError `FOLD_NOT_DOWNLOADED`, `FOLD_BUSY`, `FOLD_BAD_ID`, `FOLD_SECRETS_TOO_LARGE`, and file system errors
   */
  async save(changes: SecretChanges, isProtected: boolean): Promise<void> {
    // an earlier change of the same secret must not be repeated, even if another writer has already made the new change
    for (const [name, { to }] of changes) if (this.#unconfirmed.get(name)?.to !== to) this.#unconfirmed.delete(name);
    let found = await this.#read({ isProtected });
    let pending = changes;
    for (let attempt = 0; ; attempt++) {
      const target = applyChanges(found.values, pending);
      const isInPlace = areEqual(target, this.#secrets) && !isGone(found, target) && !found.isConflict;
      if (isInPlace && !(found.isBroken && (pending.size > 0 || (isProtected && found.isTorn)))) break;
      if (attempt === MAX_ATTEMPTS)
        throw new FoldspaceError("FOLD_BUSY", `Other programs keep replacing ${this.#folder.at(SECRETS_FILE)}`);
      if (await this.#replace(found, target, isProtected)) {
        for (const copy of found.copies) this.#absorbed.add(copy);
        // from here on, `#unconfirmed` contains the changes
        pending = new Map();
        await this.#wait(READ_BACK_MS);
      }
      found = await this.#read({ isProtected });
    }
    await this.#tidyUp(found, isProtected);
  }

  /** Replaces the file unless it has changed since it was found. @returns whether it did */
  async #replace(found: Found, target: SecretMap, isProtected: boolean): Promise<boolean> {
    await this.#folder.assertPresent();
    await this.#folder.assertNoLinks(SECRETS_FILE);
    const { fs } = this.#folder;
    const path = this.#folder.at(SECRETS_FILE);
    const text = await sealPlainFile(this.#spaceId, target);
    const temporary = this.#folder.at(temporarySecretsPath(randomId()));
    await fs.write(temporary, utf8(text));
    try {
      if (found.isConflict) await fs.write(this.#folder.at(foldedCopyPath(await digest(found.text!))), utf8(found.text!));
      // as late as possible: only renaming comes between this check and the new file
      if ((await this.#readMainText()) !== found.text) {
        await fs.remove(temporary);
        return false;
      }
      if (found.isBroken) await fs.rename(path, this.#folder.at(brokenSecretsPath(new Date(this.#clock.now()))));
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.remove(temporary);
      throw error;
    }
    this.#noteOwn(text, target, isProtected);
    return true;
  }

  #noteOwn(text: string, target: SecretMap, isProtected: boolean): void {
    const until = this.#clock.now() + CONFIRM_MS;
    for (const [name, change] of differences(this.#secrets, target)) {
      const earlier = this.#unconfirmed.get(name);
      // repeating a change does not extend its time
      this.#unconfirmed.set(name, { ...change, until: earlier && earlier.to === change.to ? earlier.until : until });
      // what a copy of an earlier text says about this secret no longer counts
      for (const base of this.#ownTexts.values()) base.delete(name);
    }
    // secrets that are put under a protection are not deleted: once it has ended, they are here again
    this.#ownTexts.set(text, isProtected ? new Map() : new Map(this.#foreign));
    for (const old of [...this.#ownTexts.keys()].slice(0, -MAX_OWN_TEXTS)) this.#ownTexts.delete(old);
    this.#secrets = target;
    if (this.#found) this.#found = { ...this.#found, text };
  }

  async #read({ isProtected }: ReadingOptions = { isProtected: false }): Promise<Found> {
    await this.#folder.assertNoLinks(SECRETS_FILE);
    const problems: Problem[] = [];
    const names = await this.#listNames();
    const text = await this.#readMain(names);
    const main = await this.#ingest(text, problems);
    const isBroken = main.kind === "broken";
    const torn: string[] = [];
    this.#copies = await this.#readCopies(names.get("copy") ?? [], problems, torn);
    const ancestor = this.#copies.find(({ isAncestor }) => isAncestor)?.secrets ?? main.ancestor;
    const remains = [...(names.get("folded") ?? []), ...(names.get("broken") ?? [])];
    for (const file of names.get("broken") ?? [])
      problems.push({ code: "FOLD_SECRETS_BROKEN", reason: "it did not decrypt and was set aside: nothing in it is used", file });
    this.#problems = problems;
    const values = this.#restoreLost();
    this.#absorbed = new Set(this.#copies.filter((copy) => this.#absorbed.has(copy)));
    // only once: secrets that were set or deleted since are later than the copy
    for (const copy of this.#copies) if (!this.#absorbed.has(copy)) mergeCopy(copy, values, ancestor);
    const isTorn = isBroken && (await this.#isReadable(SECRETS_FILE, text === TOO_LARGE_TEXT ? undefined : text));
    if (isProtected) await this.#salvage([...(isTorn ? [SECRETS_FILE] : []), ...torn], values);
    const isConflict = main.kind === "conflict";
    this.#found = { text, values, copies: this.#copies, isBroken, isConflict, remains, torn, isTorn };
    return this.#found;
  }

  async #listNames(): Promise<Map<SecretsFileKind, string[]>> {
    const names = new Map<SecretsFileKind, string[]>();
    for (const { name, kind } of (await this.#folder.fs.list(this.#folder.at(SPACE_DIR))) ?? []) {
      if (kind !== "file") continue;
      // only a name that could be a placeholder's needs the size
      const size = classifySecretsFile(name, 0) === "placeholder" ? await this.#sizeOf(`${SPACE_DIR}/${name}`) : Infinity;
      const is = classifySecretsFile(name, size);
      if (!is) continue;
      const paths = names.get(is) ?? [];
      paths.push(`${SPACE_DIR}/${name}`);
      names.set(is, paths);
    }
    for (const paths of names.values()) paths.sort();
    return names;
  }

  async #sizeOf(path: string): Promise<number> {
    return (await this.#folder.fs.stat(this.#folder.at(path)))?.size ?? Infinity;
  }

  /** @throws FoldspaceError `FOLD_NOT_DOWNLOADED` */
  async #readMain(names: ReadonlyMap<SecretsFileKind, readonly string[]>): Promise<string | undefined> {
    if (names.has("placeholder") && !names.has("secrets"))
      throw new FoldspaceError("FOLD_NOT_DOWNLOADED", `${this.#folder.at(SECRETS_FILE)}: ${NOT_DOWNLOADED}`);
    return await this.#readMainText();
  }

  /** Treats a file that is too large like one that does not decrypt. */
  async #readMainText(): Promise<string | undefined> {
    try {
      return await this.#readText(SECRETS_FILE);
    } catch (error) {
      if (errorCode(error) !== "FOLD_SECRETS_TOO_LARGE") throw error;
      return TOO_LARGE_TEXT;
    }
  }

  async #ingest(text: string | undefined, problems: Problem[]): Promise<MainFile> {
    // absence never means deletion
    if (text === undefined) return { kind: "absent" };
    try {
      if (text === TOO_LARGE_TEXT) assertFileSize(Infinity);
      const { secrets, isConflict, ancestor } = await openPlainText(this.#spaceId, text);
      if (!this.#ownTexts.has(text)) this.#foreign = secrets;
      this.#secrets = secrets;
      if (!isConflict) return { kind: "whole" };
      const reason = "a version control program left a conflict in the secrets: all versions in it were read, and are merged";
      problems.push({ code: "FOLD_MERGE_MARKER", reason, file: SECRETS_FILE });
      return { kind: "conflict", ...(ancestor && { ancestor }) };
    } catch (error) {
      problems.push(toProblem(error, SECRETS_FILE));
      return { kind: "broken" };
    }
  }

  /** Restores changes that another writer has overwritten without having read them. */
  #restoreLost(): Map<string, string> {
    const values = new Map(this.#secrets);
    for (const [name, { from, to, until }] of this.#unconfirmed) {
      if (until <= this.#clock.now()) this.#unconfirmed.delete(name);
      else if (values.get(name) === from) setOrDelete(values, name, to);
    }
    return values;
  }

  /** Rescues the whole values in files that were cut off and are about to be removed, if no other file has them. */
  async #salvage(paths: readonly string[], values: Map<string, string>): Promise<void> {
    for (const path of paths) {
      const { fs } = this.#folder;
      const stat = await fs.stat(this.#folder.at(path));
      const bytes = stat && stat.size <= MAX_SECRETS_FILE_BYTES ? await fs.read(this.#folder.at(path)) : undefined;
      for (const [name, value] of await salvagePlainFile(this.#spaceId, new TextDecoder().decode(bytes)))
        if (!values.has(name)) values.set(name, value);
    }
  }

  /** @param torn gets the copies that do not decrypt, but are readable */
  async #readCopies(paths: readonly string[], problems: Problem[], torn: string[]): Promise<Copy[]> {
    const copies: Copy[] = [];
    const ancestors = findAncestors(paths);
    let read = 0;
    for (const path of paths.slice(0, MAX_COPIES_TRIED)) {
      if (copies.length === MAX_COPIES) break;
      read++;
      let text: string | undefined;
      try {
        text = await this.#readText(path);
        if (text === undefined) continue;
        const known = this.#copies.find((copy) => copy.path === path && copy.text === text);
        const isAncestor = ancestors.has(path);
        if (known && known.isAncestor === isAncestor) copies.push(known);
        else {
          const { secrets } = await openPlainText(this.#spaceId, text);
          copies.push({ path, text, secrets, isAncestor, ...this.#originOf(text) });
        }
        const reason = isAncestor
          ? "a version control program kept this version of the secrets from before a conflict; it was compared"
          : "a program that carries the folder made this copy of the secrets; they were read";
        problems.push({ code: "FOLD_CONFLICT_COPY", reason, file: path });
      } catch (error) {
        problems.push(toProblem(error, path));
        if (await this.#isReadable(path, text)) torn.push(path);
      }
    }
    for (const file of paths.slice(read))
      problems.push({
        code: "FOLD_SECRETS_TOO_LARGE",
        reason: "there are too many copies of the secrets: it was not read",
        file,
      });
    return copies;
  }

  /** A copy that arrives while the file has our text was made from the secrets before it: its writer has not seen our text. */
  #originOf(text: string): Pick<Copy, "base" | "isOwn"> {
    const ownBase = this.#ownTexts.get(text);
    const isOwnInPlace = this.#found?.text !== undefined && this.#ownTexts.has(this.#found.text);
    return { base: ownBase ?? (isOwnInPlace ? this.#foreign : undefined), isOwn: ownBase !== undefined };
  }

  /** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_NOT_DOWNLOADED` */
  async #readText(path: string): Promise<string | undefined> {
    const { fs } = this.#folder;
    const stat = await fs.stat(this.#folder.at(path));
    if (!stat) return undefined;
    assertFileSize(stat.size);
    const bytes = await fs.read(this.#folder.at(path));
    const pointer = bytes && describePointer(bytes);
    if (pointer !== undefined)
      throw new FoldspaceError("FOLD_NOT_DOWNLOADED", pointer, { data: { path: this.#folder.at(path) } });
    return bytes && new TextDecoder().decode(bytes);
  }

  /** Whether a file that does not decrypt is readable nevertheless. @param text `undefined` if it was not read */
  async #isReadable(path: string, text: string | undefined): Promise<boolean> {
    if (text !== undefined) return await isReadablePlainText(this.#spaceId, text);
    const bytes = await this.#folder.fs.read(this.#folder.at(path), { offset: 0, length: PLAIN_PREFIX_LENGTH });
    return bytes !== undefined && (await isReadablePlainText(this.#spaceId, new TextDecoder().decode(bytes)));
  }

  /** Sets merged copies aside, so that no device takes deleted secrets from them again. */
  async #tidyUp({ copies, remains, torn }: Found, isProtected: boolean): Promise<void> {
    const { fs } = this.#folder;
    for (const { path, text } of copies) {
      // a file that has replaced the copy since was not read
      if ((await this.#readText(path)) !== text) continue;
      if (isProtected) await fs.remove(this.#folder.at(path));
      else await fs.rename(this.#folder.at(path), this.#folder.at(foldedCopyPath(await digest(text))));
    }
    const left = isProtected ? [...remains, ...torn] : [];
    for (const path of left) await fs.remove(this.#folder.at(path));
    if (copies.length > 0 || left.length > 0) await this.#read();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.schedule(delayMs, resolve));
  }
}

/** Whether these secrets lack their file. Absence never means deletion, so it must be written again. */
function isGone({ text }: Found, secrets: SecretMap): boolean {
  return text === undefined && secrets.size > 0;
}

/** Replaces a text that is not read. No file can have this text, because it is not base64. */
const TOO_LARGE_TEXT = "(too large)";

/**
 * Merges a copy: secrets that it adds, and those that only it has changed. A secret that the copy lacks counts as deleted
 * only if this instance wrote the copy, because other writers may just not have had that secret.
 * @param ancestor the version from which both the file and the copy were made, if a program has kept it
 */
function mergeCopy(copy: Copy, values: Map<string, string>, ancestor: SecretMap | undefined): void {
  if (copy.isAncestor) return;
  if (ancestor) {
    const merged = mergeMaps(ancestor, values, copy.secrets);
    for (const [name, { to }] of differences(values, merged)) setOrDelete(values, name, to);
    return;
  }
  const { secrets, base, isOwn } = copy;
  for (const [name, value] of secrets) {
    const present = values.get(name);
    if (present === undefined || present === base?.get(name)) values.set(name, value);
  }
  if (!isOwn) return;
  for (const [name, value] of base ?? []) if (!secrets.has(name) && values.get(name) === value) values.delete(name);
}

async function digest(text: string): Promise<string> {
  return toHex(new Uint8Array(await webCrypto().digest("SHA-256", utf8(text))));
}

function toProblem(error: unknown, file: string): Problem {
  const code: FoldspaceErrorCode = errorCode(error) ?? "FOLD_IO";
  return { code, reason: errorMessage(error), file };
}
