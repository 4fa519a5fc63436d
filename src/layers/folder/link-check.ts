import { FoldspaceError } from "../../errors.ts";
import { joinPath, type DirectoryEntry, type FileSystem } from "../../fs/file-system.ts";

/** Describes a link in the place of a file of the space. */
export const LINKED_FILE =
  'it is a link, pipe or device, which is never followed or opened: if git-annex made it, "git annex unlock" makes it a file again';

/** Logs, `space.json` and files of secrets, which a program may keep elsewhere, with a link in their place. */
const SPACE_FILE_NAME = /\.jsonl?$|\/secrets$/;

/**
 * Checks whether paths in a folder lead through links. Links can come from elsewhere (Git carries them), and must not make
 * us read or write outside the folder. Missing parts of a path are fine, and the folder itself may be linked. Use an instance
 * for one moment only, because it caches listings.
 */
export class LinkCheck {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #listings = new Map<string, Promise<DirectoryEntry[] | undefined>>();
  #realRoot: Promise<string | undefined> | undefined;

  /** @param root folder that paths must not leave */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /**
   * Resolves links if the file system can, else lists the folders on the way.
   * @param path relative to the root
   * @throws FoldspaceError `FOLD_IO`, or `FOLD_LINKED_FILE` if the path is a file of the space and itself a link
   */
  async assertInside(path: string): Promise<void> {
    if (!this.#fs.realPath) {
      await this.assertNoLinks(path);
      return;
    }
    for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf("/")))) {
      const resolving = this.#fs.realPath(joinPath(this.#root, part));
      if (!this.#realRoot) {
        this.#realRoot = this.#fs.realPath(this.#root);
        // it is not needed if nothing exists, and reported where it is
        this.#realRoot.catch(() => undefined);
      }
      const real = await resolving;
      // a missing part will be created in the folder above it
      if (real === undefined) continue;
      const root = await this.#realRoot;
      if (root !== undefined && isSamePath(real, `${root === "/" ? "" : root}/${part}`)) return;
      // names the part that is the link
      await this.assertNoLinks(path);
      throw this.#refuse(part, "is a link, or reached through one");
    }
  }

  /**
   * Lists every folder on the way, and so finds also pipes and devices.
   * @throws FoldspaceError as {@link assertInside}
   */
  async assertNoLinks(path: string): Promise<void> {
    let folder = "";
    for (const part of path.split("/")) {
      const entry = (await this.#list(folder))?.find(({ name }) => name === part);
      if (!entry) return;
      folder = joinPath(folder, part);
      if (entry.kind === "other") throw this.#refuse(folder, "is a link, pipe or device", path);
    }
  }

  #list(folder: string): Promise<DirectoryEntry[] | undefined> {
    let listing = this.#listings.get(folder);
    if (!listing) this.#listings.set(folder, (listing = this.#fs.list(joinPath(this.#root, folder))));
    return listing;
  }

  /** @param wanted the path that was checked, if the part is known to be a link itself */
  #refuse(part: string, reason: string, wanted?: string): FoldspaceError {
    const path = joinPath(this.#root, part);
    if (part === wanted && SPACE_FILE_NAME.test(part))
      return new FoldspaceError("FOLD_LINKED_FILE", `${path}: ${LINKED_FILE}`, { data: { path } });
    return new FoldspaceError("FOLD_IO", `${path} ${reason}, which is never followed`, { data: { path } });
  }
}

/** Whether paths differ in spelling only. Systems may return another spelling of a name, while a link leads to another name. */
function isSamePath(a: string, b: string): boolean {
  const normalize = (path: string): string => path.normalize("NFC").toLowerCase();
  return a === b || normalize(a) === normalize(b);
}
