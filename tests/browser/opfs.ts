import { WebFileSystem, type WebFileSystemOptions } from "../../src/fs/web/index.ts";
import type { FileSystemSetup, ExternalWriter } from "../../src/testing/file-system-fixture.ts";
import { newId } from "../../src/tree/index.ts";

/** A new folder in the browser's own storage, which is deleted after the test. */
export async function makeOpfsFolder(): Promise<{ folder: FileSystemDirectoryHandle; teardown: () => Promise<void> }> {
  const storage = await navigator.storage.getDirectory();
  const name = newId();
  const folder = await storage.getDirectoryHandle(name, { create: true });
  return { folder, teardown: () => storage.removeEntry(name, { recursive: true }) };
}

export async function setUpOpfs(root: string, options?: WebFileSystemOptions): Promise<FileSystemSetup> {
  const { folder, teardown } = await makeOpfsFolder();
  const fs = new WebFileSystem(folder, options);
  await fs.makeDirectory(root);
  return { fs, root, outside: new OtherHands(folder), teardown };
}

/** Another page on the same files: handles of its own, got anew each time, and none of the code under test. */
export class OtherHands implements ExternalWriter {
  readonly #root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async append(path: string, text: string): Promise<void> {
    const file = await this.#file(path);
    const { size } = await file.getFile();
    const writable = await file.createWritable({ keepExistingData: true });
    await writable.write({ type: "write", position: size, data: text });
    await writable.close();
  }

  async write(path: string, text: string): Promise<void> {
    const writable = await (await this.#file(path)).createWritable();
    await writable.write(text);
    await writable.close();
  }

  async replace(path: string, text: string): Promise<void> {
    const { folder, name } = parse(path);
    await this.write(`${folder}/.other.tmp`, text);
    const temporary = (await this.#file(`${folder}/.other.tmp`)) as FileSystemFileHandle & { move(name: string): Promise<void> };
    await temporary.move(name);
  }

  async remove(path: string): Promise<void> {
    const { folder, name } = parse(path);
    try {
      await (await this.#folder(folder)).removeEntry(name, { recursive: true });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#folder(path, true);
  }

  async #file(path: string): Promise<FileSystemFileHandle> {
    const { folder, name } = parse(path);
    return await (await this.#folder(folder)).getFileHandle(name, { create: true });
  }

  async #folder(path: string, create: boolean = false): Promise<FileSystemDirectoryHandle> {
    let folder = this.#root;
    for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  }
}

function parse(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) };
}
