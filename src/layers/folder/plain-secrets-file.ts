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
import { assertFileSize, MAX_COPIES } from "../../secrets/limits.ts";
import { openPlainFile, sealPlainFile } from "../../secrets/plain-file.ts";
import {
  applyChanges,
  areEqual,
  differences,
  put,
  type SecretChange,
  type SecretChanges,
  type SecretMap,
} from "../../secrets/secret-map.ts";
import type { SpaceFolder } from "./space-folder.ts";

/**
 * A person does not read, change and write back so soon what this instance has just written: whoever replaced the file
 * within that time had read what was there before.
 */
const CONFIRM_MS = 2_000;
/** How long after writing the file is read again, to see whether another has replaced it in the same moment. */
const READ_BACK_MS = 200;
const MAX_ATTEMPTS = 10;
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

/** The file as it was found. */
interface Found {
  /** `undefined` where there is none. */
  readonly text: string | undefined;
  /** What it means together with copies of it, and with what was lost when it was replaced. */
  readonly values: Map<string, string>;
  readonly copies: readonly Copy[];
  readonly isBroken: boolean;
  readonly remains: readonly string[];
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

  constructor(folder: SpaceFolder, spaceId: string, clock: Clock) {
    this.#folder = folder;
    this.#spaceId = spaceId;
    this.#clock = clock;
  }

  /** As of the last reading. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** What the texts say that were found, to be compared. */
  get fingerprint(): string {
    return JSON.stringify([this.#found?.text, this.#copies.map(({ path, text }) => [path, text])]);
  }

  /** @throws FoldspaceError what reading failed with; that something does not decrypt is a problem instead */
  async read(): Promise<{ readonly values: SecretMap; readonly isUntidy: boolean; readonly isGone: boolean }> {
    const found = await this.#read();
    const isUntidy = found.copies.length > 0 || !areEqual(found.values, this.#secrets);
    return { values: found.values, isUntidy, isGone: isGone(found, found.values) };
  }

  /**
   * Makes changes to what the file holds by now.
   * @param removeRemains whether to delete what earlier secrets have left behind
   * @throws FoldspaceError `FOLD_NOT_DOWNLOADED`, `FOLD_BUSY`, `FOLD_BAD_ID`, `FOLD_SECRETS_TOO_LARGE`, and as writing and renaming
   */
  async save(changes: SecretChanges, removeRemains: boolean): Promise<void> {
    // what is changed once more is not written again as it was, also where others have made that change already
    for (const [name, { to }] of changes) if (this.#unconfirmed.get(name)?.to !== to) this.#unconfirmed.delete(name);
    let found = await this.#read();
    let pending = changes;
    for (let attempt = 0; ; attempt++) {
      const target = applyChanges(found.values, pending);
      const isInPlace = areEqual(target, this.#secrets) && !isGone(found, target);
      if (isInPlace && !(found.isBroken && pending.size > 0)) break;
      if (attempt === MAX_ATTEMPTS)
        throw new FoldspaceError("FOLD_BUSY", `Others keep replacing ${this.#folder.at(SECRETS_FILE)}`);
      if (await this.#replace(found, target)) {
        // from here on, what this instance wrote stands in `#unconfirmed`
        pending = new Map();
        await this.#wait(READ_BACK_MS);
      }
      found = await this.#read();
    }
    await this.#tidyUp(found, removeRemains);
  }

  /** @returns whether the file was as it had been found, and has been replaced */
  async #replace(found: Found, target: SecretMap): Promise<boolean> {
    await this.#folder.assertPresent();
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

  async #read(): Promise<Found> {
    const problems: Problem[] = [];
    const names = await this.#listNames();
    const text = await this.#readMain(names);
    const isBroken = await this.#takeIn(text, problems);
    this.#copies = await this.#readCopies(names.get("copy") ?? [], problems);
    const remains = [...(names.get("folded") ?? []), ...(names.get("broken") ?? [])];
    for (const file of names.get("broken") ?? [])
      problems.push({ code: "FOLD_SECRETS_BROKEN", reason: "it did not decrypt and was set aside: nothing in it is used", file });
    this.#problems = problems;
    const values = this.#restoreLost();
    for (const copy of this.#copies) fold(copy, values);
    this.#found = { text, values, copies: this.#copies, isBroken, remains };
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
  async #takeIn(text: string | undefined, problems: Problem[]): Promise<boolean> {
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
      else if (values.get(name) === from) put(values, name, to);
    }
    return values;
  }

  async #readCopies(paths: readonly string[], problems: Problem[]): Promise<Copy[]> {
    const copies: Copy[] = [];
    for (const path of paths.slice(0, MAX_COPIES)) {
      try {
        const text = await this.#readText(path);
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
      }
    }
    for (const file of paths.slice(MAX_COPIES))
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

  /** Puts copies out of the way once they are part of the file, so that nobody takes deleted secrets from them again. */
  async #tidyUp({ copies, remains }: Found, removeRemains: boolean): Promise<void> {
    const { fs } = this.#folder;
    for (const { path, text } of copies) {
      // what has taken its place since was not read
      if ((await this.#readText(path)) !== text) continue;
      if (removeRemains) await fs.remove(this.#folder.at(path));
      else await fs.rename(this.#folder.at(path), this.#folder.at(foldedCopyPath(await digest(text))));
    }
    if (removeRemains) for (const path of remains) await fs.remove(this.#folder.at(path));
    if (copies.length > 0 || (removeRemains && remains.length > 0)) await this.#read();
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
