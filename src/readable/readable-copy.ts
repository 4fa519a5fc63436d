import { webCrypto } from "../web-crypto.ts";
import { FoldspaceError } from "../errors.ts";
import { joinPath, type DirectoryEntry, type FileSystem } from "../fs/file-system.ts";
import { nameFiles, nameKey, type NamedPage } from "./file-names.ts";
import { decodeManifest, encodeManifest, MANIFEST_FILE, type CopiedFile, type Manifest } from "./manifest.ts";
import { assertOutside, realPathOf } from "./outside.ts";

export interface CopyPage extends NamedPage {
  /**
   * Makes the contents of the file. Absent, or without a result: the page has not changed, or cannot be read now, and its file
   * stays.
   */
  readonly markdown: (() => string | undefined | Promise<string | undefined>) | undefined;
}

/** The result of an update. */
export interface CopyReport {
  /** Names of files. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Files of the copy that others have changed: they stay, and the copy does not touch them any more. */
  readonly left: readonly string[];
}

interface Content {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

interface Plan {
  /** By file name. */
  readonly writes: ReadonlyMap<string, Content & { readonly page: string }>;
  readonly removals: readonly string[];
}

/**
 * A copy of a space for people and their tools: each page as a Markdown file in a folder that has nothing else in it. It is
 * written one way and never read back. The copy replaces and deletes only files that its manifest proves to be its own, by
 * what is in them; everything else in the folder stays untouched, and its name is not used.
 */
export class ReadableCopy {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #realPath: string;
  #manifest: Manifest;

  private constructor(fs: FileSystem, path: string, realPath: string, manifest: Manifest) {
    this.#fs = fs;
    this.#path = path;
    this.#realPath = realPath;
    this.#manifest = manifest;
  }

  /**
   * Opens a folder for the copy of a space, and makes it where it is missing.
   * @param spacePath of the folder that the space is in, if `fs` has it
   * @throws FoldspaceError `FOLD_BAD_VALUE` where the copy would be mixed with something else, `FOLD_SPACE_MISMATCH` where it
   *   is that of another space
   */
  static async open(fs: FileSystem, path: string, spaceId: string, spacePath?: string): Promise<ReadableCopy> {
    if (spacePath !== undefined) await assertOutside(fs, path, spacePath);
    const manifest = await readManifest(fs, path, spaceId);
    await fs.makeDirectory(path);
    return new ReadableCopy(fs, path, await realPathOf(fs, path), manifest);
  }

  /** Where it is. */
  get path(): string {
    return this.#path;
  }

  /**
   * Brings the files to where the pages are.
   * @param pages all of the space
   * @throws FoldspaceError `FOLD_FOLDER_LOST`, and what reading and writing throw; the next update does what is left
   */
  async update(pages: readonly CopyPage[]): Promise<CopyReport> {
    const contents = new Map<string, Content>();
    for (const { id, markdown } of pages) {
      const text = await markdown?.();
      if (text !== undefined) contents.set(id, await contentOf(text));
    }
    const listing = await this.#list();
    // another program may have kept the copy meanwhile
    if (listing.has(MANIFEST_FILE)) this.#manifest = await readManifest(this.#fs, this.#path, this.#manifest.spaceId);
    const left: string[] = [];
    let plan = this.#plan(pages, contents, listing);
    // a file that turns out not to be the copy's own keeps its name, and others have to be found
    for (let foreign = await this.#findForeignFiles(plan, listing); foreign.length > 0;) {
      left.push(...foreign);
      const files = new Map([...this.#manifest.files].filter(([name]) => !foreign.includes(name)));
      this.#manifest = { ...this.#manifest, files };
      plan = this.#plan(pages, contents, listing);
      foreign = await this.#findForeignFiles(plan, listing);
    }
    if (plan.writes.size + plan.removals.length > 0) await this.#carryOut(plan, listing);
    else if (left.length > 0) await this.#save(this.#manifest);
    return { written: [...plan.writes.keys()], removed: plan.removals, left };
  }

  /** @throws FoldspaceError `FOLD_FOLDER_LOST` where the folder is gone, or another has taken its place */
  async #list(): Promise<ReadonlyMap<string, DirectoryEntry>> {
    const entries = await this.#fs.list(this.#path);
    if (!entries || (await realPathOf(this.#fs, this.#path)) !== this.#realPath) {
      const message = `The folder of the copy, ${this.#path}, is gone, or leads somewhere else`;
      throw new FoldspaceError("FOLD_FOLDER_LOST", message, { data: { path: this.#path } });
    }
    return new Map(entries.map((entry) => [entry.name, entry]));
  }

  #plan(pages: readonly CopyPage[], contents: ReadonlyMap<string, Content>, listing: ReadonlyMap<string, DirectoryEntry>): Plan {
    const { files } = this.#manifest;
    const present = new Map([...files].map(([name, { page }]) => [page, name]));
    const foreign = [...listing.keys()].filter((name) => !files.has(name));
    const names = nameFiles(pages, present, new Set([MANIFEST_FILE, ...foreign].map(nameKey)));
    const writes = new Map<string, Content & { readonly page: string }>();
    const kept = new Set<string>();
    for (const { id } of pages) {
      const name = names.get(id)!;
      const content = contents.get(id);
      const before = present.get(id);
      if (!content) {
        if (before !== undefined) kept.add(before);
        continue;
      }
      kept.add(name);
      const { sha256 = [] } = files.get(name) ?? {};
      const isThere = listing.get(name)?.kind === "file" && sha256.length === 1 && sha256[0] === content.hash;
      if (!isThere) writes.set(name, { page: id, ...content });
    }
    const removals = [...files.keys()].filter((name) => !kept.has(name) && listing.has(name));
    return { writes, removals };
  }

  /** Files that would be replaced or deleted, and are not as the copy has written them. */
  async #findForeignFiles({ writes, removals }: Plan, listing: ReadonlyMap<string, DirectoryEntry>): Promise<string[]> {
    const foreign: string[] = [];
    for (const name of [...writes.keys(), ...removals]) {
      const entry = listing.get(name);
      if (!entry || foreign.includes(name)) continue;
      const { sha256 = [] } = this.#manifest.files.get(name) ?? {};
      if (entry.kind !== "file" || !sha256.includes(await this.#hashOf(name))) foreign.push(name);
    }
    return foreign;
  }

  async #carryOut({ writes, removals }: Plan, listing: ReadonlyMap<string, DirectoryEntry>): Promise<void> {
    const { spaceId, files } = this.#manifest;
    const known = [...files].filter(([name]) => listing.has(name));
    // what is about to be in a file is proven before it is there: the copy may be interrupted anywhere
    const during = new Map<string, CopiedFile>(known);
    const after = new Map<string, CopiedFile>(known);
    for (const [name, { page, hash }] of writes) {
      during.set(name, { page, sha256: [...new Set([...(during.get(name)?.sha256 ?? []), hash])] });
      after.set(name, { page, sha256: [hash] });
    }
    for (const name of removals) after.delete(name);
    await this.#save({ spaceId, files: during });
    // a name that differs only in case is the same file on some systems: the new one may not go with the old one
    const written = new Set([...writes.keys()].map(nameKey));
    for (const name of removals) if (written.has(nameKey(name))) await this.#fs.remove(this.#at(name));
    for (const [name, { bytes }] of writes) await this.#fs.write(this.#at(name), bytes);
    for (const name of removals) if (!written.has(nameKey(name))) await this.#fs.remove(this.#at(name));
    await this.#save({ spaceId, files: after });
  }

  async #save(manifest: Manifest): Promise<void> {
    await this.#fs.write(this.#at(MANIFEST_FILE), new TextEncoder().encode(encodeManifest(manifest)));
    this.#manifest = manifest;
  }

  async #hashOf(name: string): Promise<string> {
    const bytes = await this.#fs.read(this.#at(name));
    return bytes ? await sha256Of(bytes) : "";
  }

  #at(name: string): string {
    return joinPath(this.#path, name);
  }
}

/** @returns that of a new copy where the folder is empty or missing */
async function readManifest(fs: FileSystem, path: string, spaceId: string): Promise<Manifest> {
  const entries = (await fs.list(path)) ?? [];
  const file = joinPath(path, MANIFEST_FILE);
  const entry = entries.find(({ name }) => name === MANIFEST_FILE);
  if (!entry) {
    if (entries.length === 0) return { spaceId, files: new Map() };
    const message = `${path} holds other files: the copy needs a folder of its own, a new or an empty one`;
    throw new FoldspaceError("FOLD_BAD_VALUE", message, { data: { path } });
  }
  const bytes = entry.kind === "file" ? await fs.read(file) : undefined;
  if (!bytes) throw new FoldspaceError("FOLD_BAD_VALUE", `${file} is no file that could be read`, { data: { path: file } });
  const manifest = decodeManifest(new TextDecoder().decode(bytes), file);
  if (manifest.spaceId === spaceId) return manifest;
  throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${path} is the copy of another space, ${manifest.spaceId}`, {
    data: { path },
  });
}

async function contentOf(text: string): Promise<Content> {
  const bytes = new TextEncoder().encode(text);
  return { bytes, hash: await sha256Of(bytes) };
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await webCrypto().digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
