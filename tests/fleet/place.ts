import { FoldspaceError } from "../../src/errors.ts";
import { joinPath, type AppendOptions } from "../../src/fs/file-system.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { encodeSpaceFile } from "../../src/log/space-files.ts";
import { logFilePath, SPACE_FILE } from "../../src/log/paths.ts";
import { encodeLine } from "../../src/log/line.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { newId, ReplicatedTree } from "../../src/tree/index.ts";

/** Where the application looks for the space's folder. */
export const FOLDER = "/space";
const UNMOUNTED = "/unmounted";
const SWAPPED = "/swapped";
const FOREIGN = "/foreign";

/** What is at {@link FOLDER}: the space's folder, nothing, or another space's folder. */
type Occupant = "ours" | "nothing" | "another space";

/** A disk as the application sees it. It appends nothing while others are at work there, where they would not notice. */
class SharedDisk extends FaultyFileSystem {
  readonly #disk: MemoryFileSystem;
  #others: Promise<unknown> | undefined;

  constructor(disk: MemoryFileSystem) {
    super(disk);
    this.#disk = disk;
  }

  override async append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void> {
    while (this.#others) await this.#others;
    await this.#disk.append(path, bytes, options);
  }

  async whileNothingIsAppended<T>(task: () => Promise<T>): Promise<T> {
    const work = task().finally(() => (this.#others = undefined));
    this.#others = work;
    return await work;
  }
}

/** The disk of a device, with the space's folder, which may be taken away, or be exchanged for another space's. */
export class Place {
  readonly disk: MemoryFileSystem;
  /** The disk for what runs on the device. */
  readonly shared: SharedDisk;
  readonly #spaceId: string;
  #occupant: Occupant = "ours";
  /** What the other space's folder holds, as its own application left it. */
  #foreign: Readonly<Record<string, string>> | undefined;
  #swaps = 0;
  /** What was found in the other space's folder that does not belong there. */
  readonly intrusions: string[] = [];

  constructor(spaceId: string, now: () => number) {
    this.#spaceId = spaceId;
    this.disk = new MemoryFileSystem({}, now);
    this.shared = new SharedDisk(this.disk);
  }

  get isOurs(): boolean {
    return this.#occupant === "ours";
  }

  async unmount(): Promise<void> {
    if (this.#occupant !== "ours") return;
    this.#occupant = "nothing";
    await this.disk.rename(FOLDER, UNMOUNTED);
  }

  /** Puts another space's folder in the place of the space's. To be called when no call is between two of its steps. */
  async swap(): Promise<void> {
    if (this.#occupant !== "ours") return;
    this.#foreign ??= await this.#makeForeign();
    this.#occupant = "another space";
    this.#swaps++;
    await Promise.all([this.disk.rename(FOLDER, SWAPPED), this.disk.rename(FOREIGN, FOLDER)]);
  }

  /** Puts the space's folder back. */
  async restore(): Promise<void> {
    if (this.#occupant === "nothing") {
      this.#occupant = "ours";
      // what was made in its place meanwhile is hidden by it
      await this.disk.remove(FOLDER);
      await this.disk.rename(UNMOUNTED, FOLDER);
    } else if (this.#occupant === "another space") {
      this.#lookForIntrusions(FOLDER);
      this.#occupant = "ours";
      this.#swaps++;
      await Promise.all([this.disk.rename(FOLDER, FOREIGN), this.disk.rename(SWAPPED, FOLDER)]);
    }
  }

  /**
   * Has a call fail that was under way while the folder was exchanged, as the system does with what was opened in a folder
   * that is no longer there: a path means what was in that place when the call began.
   */
  holdTo(fs: FaultyFileSystem): void {
    const meet = fs.fault;
    fs.fault = (call) => {
      const met = meet(call);
      if (!(met instanceof Promise)) return met;
      const swaps = this.#swaps;
      return met.then((error) => {
        if (error || swaps === this.#swaps) return error;
        fs.writtenBeforeFailing = 0;
        return new FoldspaceError("FOLD_IO", `${call.action} ${call.path} began in a folder that is no longer there`);
      });
    };
  }

  /** Looks into the other space's folder, wherever it is. */
  inspect(): void {
    if (this.#foreign) this.#lookForIntrusions(this.#occupant === "another space" ? FOLDER : FOREIGN);
  }

  /** The folder of a space that was once a copy of ours and has gone its own way under another id. */
  async #makeForeign(): Promise<Record<string, string>> {
    const [id, peerId] = [newId(), newId()];
    const time = new Date(Date.now());
    const write = async (path: string, text: string): Promise<void> =>
      await this.disk.write(joinPath(FOREIGN, path), new TextEncoder().encode(text));
    await write(SPACE_FILE, encodeSpaceFile({ id, createdAt: time.toISOString() }));
    for (const treeId of [id, this.#spaceId]) {
      const tree = new ReplicatedTree(peerId, [], { rootId: treeId });
      tree.createRoot(treeId).newNamedChild("made in another space");
      const lines = tree.popLocalOps().map((op) => `${encodeLine(op)}\n`);
      await write(logFilePath(treeId, peerId, peerId, time), lines.join(""));
    }
    return this.#dump(FOREIGN);
  }

  #lookForIntrusions(path: string): void {
    const [found, expected] = [this.#dump(path), this.#foreign ?? {}];
    for (const name of new Set([...Object.keys(found), ...Object.keys(expected)]))
      if (found[name] !== expected[name]) this.intrusions.push(`${name} was changed in another space's folder`);
  }

  #dump(path: string): Record<string, string> {
    const root = `${path.slice(1)}/`;
    const files = Object.entries(this.disk.dump()).filter(([name]) => name.startsWith(root));
    return Object.fromEntries(files.map(([name, text]) => [name.slice(root.length), text]));
  }
}
