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
import { SPACE_DIR } from "../../log/paths.ts";
import { toHex, utf8 } from "../../secrets/encoding.ts";
import { assertFileSize, MAX_COPIES, MAX_SECRETS_FILE_BYTES } from "../../secrets/limits.ts";
import {
  isReadablePlainText,
  openPlainFile,
  PLAIN_PREFIX_LENGTH,
  salvagePlainFile,
  sealPlainFile,
} from "../../secrets/plain-file.ts";
import {
  applyChanges,
  areEqual,
  differences,
  setOrDelete,
  type SecretChange,
  type SecretChanges,
  type SecretMap,
} from "../../secrets/secret-map.ts";
import type { StoredSecrets } from "../persistence-layer.ts";
import type { SpaceFolder } from "./space-folder.ts";

/**
 * A person does not read, change and write back so soon what this instance has just written: whoever replaced the file
 * within that time had read what was there before.
 */
const CONFIRM_MS = 2_000;
/** How long after writing the file is read again, to see whether another has replaced it in the same moment. */
const READ_BACK_MS = 200;
const MAX_ATTEMPTS = 10;
/** Of copies that are read, and of those that turn out not to decrypt. */
const MAX_COPIES_TRIED = 4 * MAX_COPIES;
/** Texts written by this instance, of which a sync service may make copies. */
const MAX_OWN_TEXTS = 32;

interface Unconfirmed extends SecretChange {
  /** Milliseconds since the epoch. */
  readonly until: number;
}

interface Copy {
  readonly path: string;
  readonly text: string;
  readonly secrets: SecretMap;
  /** What it was made from, where that is known. */
  readonly base: SecretMap | undefined;
  /** Whether this instance has written the text. */
  readonly isOwn: boolean;
}

/** What is to become of files that were left behind, or do not decrypt. */
interface ReadingOptions {
  /** Whether they are about to be removed, so that what there is in them is taken in. */
  readonly isProtected: boolean;
}

/** The file as it was found. */
interface Found {
  /** `undefined` where there is none. */
  readonly text: string | undefined;
  /** What it means together with copies of it, and with what was lost when it was replaced. */
  readonly values: Map<string, string>;
  readonly copies: readonly Copy[];
  readonly isBroken: boolean;
  /** What was put out of the way. */
  readonly remains: readonly string[];
  /** Copies that do not decrypt, and yet can be read by who knows the space's id. */
  readonly torn: readonly string[];
  /** Whether the file itself is one of those. */
  readonly isTorn: boolean;
}

const NO_SECRETS: SecretMap = new Map();

/**
 * The file `secrets`, which every device replaces as a whole. There is no lock: it is read again before and after every
 * write, and what another has overwritten is written once more.
 */
export class PlainSecretsFile {
  readonly #folder: SpaceFolder;
  readonly #spaceId: string;
  readonly #clock: Clock;
  #problems: readonly Problem[] = [];
  #found: Found | undefined;
  /** What the file holds, as far as it could be read. */
  #secrets: SecretMap = NO_SECRETS;
  /** The last that somebody else wrote, or that was there at first. */
  #foreign: SecretMap = NO_SECRETS;
  /** What the file held before this instance wrote these texts. */
  readonly #ownTexts = new Map<string, SecretMap>();
  readonly #unconfirmed = new Map<string, Unconfirmed>();
  #copies: readonly Copy[] = [];
  /** Those that are part of the file by now, and have not been put out of the way yet. */
  #absorbed = new Set<Copy>();

  constructor(folder: SpaceFolder, spaceId: string, clock: Clock) {
    this.#folder = folder;
    this.#spaceId = spaceId;
    this.#clock = clock;
  }

  /** As of the last reading. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** What was put out of the way, and copies that do not decrypt and yet can be read. */
  get remains(): readonly string[] {
    return this.#found ? [...this.#found.remains, ...this.#found.torn] : [];
  }

  /** What the texts say that were found, to be compared. */
  get fingerprint(): string {
    return JSON.stringify([this.#found?.text, this.#copies.map(({ path, text }) => [path, text])]);
  }

  /** @throws FoldspaceError what reading failed with; that something does not decrypt is a problem instead */
  async read(): Promise<Omit<StoredSecrets, "sealed">> {
    const found = await this.#read();
    const isUntidy = found.copies.length > 0 || !areEqual(found.values, this.#secrets);
    const hasRemains = found.isTorn || found.torn.length > 0 || found.remains.length > 0;
    return { values: found.values, isUntidy, hasRemains, isGone: isGone(found, found.values) };
  }

  /**
   * Makes changes to what the file holds by now.
   * @param isProtected whether to delete what earlier secrets have left behind
   * @throws FoldspaceError `FOLD_NOT_DOWNLOADED`, `FOLD_BUSY`, `FOLD_BAD_ID`, `FOLD_SECRETS_TOO_LARGE`, and as writing and renaming
   */
  async save(changes: SecretChanges, isProtected: boolean): Promise<void> {
    // what is changed once more is not written again as it was, also where others have made that change already
    for (const [name, { to }] of changes) if (this.#unconfirmed.get(name)?.to !== to) this.#unconfirmed.delete(name);
    let found = await this.#read({ isProtected });
    let pending = changes;
    for (let attempt = 0; ; attempt++) {
      const target = applyChanges(found.values, pending);
      const isInPlace = areEqual(target, this.#secrets) && !isGone(found, target);
      if (isInPlace && !(found.isBroken && (pending.size > 0 || (isProtected && found.isTorn)))) break;
      if (attempt === MAX_ATTEMPTS)
        throw new FoldspaceError("FOLD_BUSY", `Others keep replacing ${this.#folder.at(SECRETS_FILE)}`);
      if (await this.#replace(found, target)) {
        for (const copy of found.copies) this.#absorbed.add(copy);
        // from here on, what this instance wrote stands in `#unconfirmed`
        pending = new Map();
        await this.#wait(READ_BACK_MS);
      }
      found = await this.#read({ isProtected });
    }
    await this.#tidyUp(found, isProtected);
  }

  /** @returns whether the file was as it had been found, and has been replaced */
  async #replace(found: Found, target: SecretMap): Promise<boolean> {
    await this.#folder.assertPresent();
    await this.#folder.assertNoLinks(SECRETS_FILE);
    const { fs } = this.#folder;
    const path = this.#folder.at(SECRETS_FILE);
    const text = await sealPlainFile(this.#spaceId, target);
    const temporary = this.#folder.at(temporarySecretsPath(crypto.randomUUID()));
    await fs.write(temporary, utf8(text));
    try {
      // as late as can be: nothing but the renaming comes between this look and the new file
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
    this.#noteOwn(text, target);
    return true;
  }

  #noteOwn(text: string, target: SecretMap): void {
    const until = this.#clock.now() + CONFIRM_MS;
    for (const [name, change] of differences(this.#secrets, target)) {
      const earlier = this.#unconfirmed.get(name);
      // one that has to be written again is not waited for any longer for that
      this.#unconfirmed.set(name, { ...change, until: earlier && earlier.to === change.to ? earlier.until : until });
    }
    this.#ownTexts.set(text, this.#foreign);
    for (const old of [...this.#ownTexts.keys()].slice(0, -MAX_OWN_TEXTS)) this.#ownTexts.delete(old);
    this.#secrets = target;
    if (this.#found) this.#found = { ...this.#found, text };
  }

  async #read({ isProtected }: ReadingOptions = { isProtected: false }): Promise<Found> {
    await this.#folder.assertNoLinks(SECRETS_FILE);
    const problems: Problem[] = [];
    const names = await this.#listNames();
    const text = await this.#readMain(names);
    const isBroken = await this.#ingest(text, problems);
    const torn: string[] = [];
    this.#copies = await this.#readCopies(names.get("copy") ?? [], problems, torn);
    const remains = [...(names.get("folded") ?? []), ...(names.get("broken") ?? [])];
    for (const file of names.get("broken") ?? [])
      problems.push({ code: "FOLD_SECRETS_BROKEN", reason: "it did not decrypt and was set aside: nothing in it is used", file });
    this.#problems = problems;
    const values = this.#restoreLost();
    this.#absorbed = new Set(this.#copies.filter((copy) => this.#absorbed.has(copy)));
    // once: what has been set or deleted since is later than what it says
    for (const copy of this.#copies) if (!this.#absorbed.has(copy)) fold(copy, values);
    const isTorn = isBroken && (await this.#isReadable(SECRETS_FILE, text === TOO_LARGE_TEXT ? undefined : text));
    if (isProtected) await this.#salvage([...(isTorn ? [SECRETS_FILE] : []), ...torn], values);
    this.#found = { text, values, copies: this.#copies, isBroken, remains, torn, isTorn };
    return this.#found;
  }

  async #listNames(): Promise<Map<SecretsFileKind, string[]>> {
    const names = new Map<SecretsFileKind, string[]>();
    for (const { name, kind } of (await this.#folder.fs.list(this.#folder.at(SPACE_DIR))) ?? []) {
      const is = kind === "file" ? classifySecretsFile(name) : undefined;
      if (!is) continue;
      const paths = names.get(is) ?? [];
      paths.push(`${SPACE_DIR}/${name}`);
      names.set(is, paths);
    }
    for (const paths of names.values()) paths.sort();
    return names;
  }

  /** @throws FoldspaceError `FOLD_NOT_DOWNLOADED` */
  async #readMain(names: ReadonlyMap<SecretsFileKind, readonly string[]>): Promise<string | undefined> {
    if (names.has("placeholder") && !names.has("secrets"))
      throw new FoldspaceError(
        "FOLD_NOT_DOWNLOADED",
        `${this.#folder.at(SECRETS_FILE)} has not been downloaded by the sync service yet`,
      );
    return await this.#readMainText();
  }

  /** One that is too large is as good as one that does not decrypt. */
  async #readMainText(): Promise<string | undefined> {
    try {
      return await this.#readText(SECRETS_FILE);
    } catch (error) {
      if (errorCode(error) !== "FOLD_SECRETS_TOO_LARGE") throw error;
      return TOO_LARGE_TEXT;
    }
  }

  /** @returns whether the file is there and does not decrypt */
  async #ingest(text: string | undefined, problems: Problem[]): Promise<boolean> {
    // absence never means deletion
    if (text === undefined) return false;
    try {
      if (text === TOO_LARGE_TEXT) assertFileSize(Infinity);
      const secrets = await openPlainFile(this.#spaceId, text);
      if (!this.#ownTexts.has(text)) this.#foreign = secrets;
      this.#secrets = secrets;
      return false;
    } catch (error) {
      problems.push(toProblem(error, SECRETS_FILE));
      return true;
    }
  }

  /** What another has overwritten without having read it. */
  #restoreLost(): Map<string, string> {
    const values = new Map(this.#secrets);
    for (const [name, { from, to, until }] of this.#unconfirmed) {
      if (until <= this.#clock.now()) this.#unconfirmed.delete(name);
      else if (values.get(name) === from) setOrDelete(values, name, to);
    }
    return values;
  }

  /** Takes in what is whole in files that were cut off and are about to be removed, and stands nowhere else. */
  async #salvage(paths: readonly string[], values: Map<string, string>): Promise<void> {
    for (const path of paths) {
      const { fs } = this.#folder;
      const stat = await fs.stat(this.#folder.at(path));
      const bytes = stat && stat.size <= MAX_SECRETS_FILE_BYTES ? await fs.read(this.#folder.at(path)) : undefined;
      for (const [name, value] of await salvagePlainFile(this.#spaceId, new TextDecoder().decode(bytes)))
        if (!values.has(name)) values.set(name, value);
    }
  }

  /** @param torn gets those that do not decrypt, and yet can be read */
  async #readCopies(paths: readonly string[], problems: Problem[], torn: string[]): Promise<Copy[]> {
    const copies: Copy[] = [];
    let read = 0;
    for (const path of paths.slice(0, MAX_COPIES_TRIED)) {
      if (copies.length === MAX_COPIES) break;
      read++;
      let text: string | undefined;
      try {
        text = await this.#readText(path);
        if (text === undefined) continue;
        const known = this.#copies.find((copy) => copy.path === path && copy.text === text);
        copies.push(known ?? { path, text, secrets: await openPlainFile(this.#spaceId, text), ...this.#originOf(text) });
        problems.push({
          code: "FOLD_CONFLICT_COPY",
          reason: "a sync service made this copy of the secrets; they were read",
          file: path,
        });
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

  /** A copy that comes while our own text stands has been made from what we had read before, as the other side has not seen ours. */
  #originOf(text: string): Pick<Copy, "base" | "isOwn"> {
    const ownBase = this.#ownTexts.get(text);
    const isOwnInPlace = this.#found?.text !== undefined && this.#ownTexts.has(this.#found.text);
    return { base: ownBase ?? (isOwnInPlace ? this.#foreign : undefined), isOwn: ownBase !== undefined };
  }

  /** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
  async #readText(path: string): Promise<string | undefined> {
    const { fs } = this.#folder;
    const stat = await fs.stat(this.#folder.at(path));
    if (!stat) return undefined;
    assertFileSize(stat.size);
    const bytes = await fs.read(this.#folder.at(path));
    return bytes && new TextDecoder().decode(bytes);
  }

  /** Whether a file that does not decrypt can be read all the same. @param text `undefined` if it was not read */
  async #isReadable(path: string, text: string | undefined): Promise<boolean> {
    if (text !== undefined) return await isReadablePlainText(this.#spaceId, text);
    const bytes = await this.#folder.fs.read(this.#folder.at(path), { offset: 0, length: PLAIN_PREFIX_LENGTH });
    return bytes !== undefined && (await isReadablePlainText(this.#spaceId, new TextDecoder().decode(bytes)));
  }

  /** Puts copies out of the way once they are part of the file, so that nobody takes deleted secrets from them again. */
  async #tidyUp({ copies, remains, torn }: Found, isProtected: boolean): Promise<void> {
    const { fs } = this.#folder;
    for (const { path, text } of copies) {
      // what has taken its place since was not read
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

/** Whether there is no file for these secrets: absence never means deletion, so it has to be written again. */
function isGone({ text }: Found, secrets: SecretMap): boolean {
  return text === undefined && secrets.size > 0;
}

/** Stands for a text that is not read: no file can have it, as it is no base64. */
const TOO_LARGE_TEXT = "(too large)";

/**
 * Takes a copy in: what it adds, and what it alone has changed. What it lacks is taken for deleted only where this
 * instance has deleted it, as others may just not have had it.
 */
function fold({ secrets, base, isOwn }: Copy, values: Map<string, string>): void {
  for (const [name, value] of secrets) {
    const present = values.get(name);
    if (present === undefined || present === base?.get(name)) values.set(name, value);
  }
  if (!isOwn) return;
  for (const [name, value] of base ?? []) if (!secrets.has(name) && values.get(name) === value) values.delete(name);
}

async function digest(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

function toProblem(error: unknown, file: string): Problem {
  const code: FoldspaceErrorCode = errorCode(error) ?? "FOLD_IO";
  return { code, reason: errorMessage(error), file };
}
