import type { Clock } from "../../clock.ts";
import { encodeLine } from "../../log/line.ts";
import { logFilePath } from "../../log/paths.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { SpaceFolder } from "./space-folder.ts";

const LF = 10;

/** What a file that this instance writes should look like from outside. */
interface OwnFile {
  /** Bytes that are surely there. */
  size: number;
  /** Bytes that are there once the append under way is done. */
  sizeAfterAppend: number;
}

/** Appends operations to the files of which this instance is the only writer. */
export class LogWriter {
  readonly #folder: SpaceFolder;
  readonly #writerId: string;
  readonly #clock: Clock;
  readonly #sync: boolean;
  readonly #ownFiles = new Map<string, OwnFile>();

  /** @param sync whether every append waits for the device */
  constructor(folder: SpaceFolder, writerId: string, clock: Clock, sync: boolean) {
    this.#folder = folder;
    this.#writerId = writerId;
    this.#clock = clock;
    this.#sync = sync;
  }

  /**
   * Appends operations of one peer, as whole lines in one write.
   * @throws FoldspaceError as `FileSystem.append`, and `FOLD_FOLDER_LOST`
   */
  async append(treeId: string, peerId: string, ops: readonly VertexOperation[]): Promise<void> {
    await this.#folder.assertPresent();
    const path = logFilePath(treeId, peerId, this.#writerId, new Date(this.#clock.now()));
    const known = this.#ownFiles.get(path);
    const isContinuing = known !== undefined;
    const own = known ?? (await this.#lookAt(path));
    const startsInLine = !isContinuing && own.size > 0 && !(await this.#endsWithNewline(path, own.size));
    const bytes = new TextEncoder().encode(`${startsInLine ? "\n" : ""}${ops.map(encodeLine).join("\n")}\n`);
    own.sizeAfterAppend = own.size + bytes.length;
    this.#ownFiles.set(path, own);
    try {
      await this.#folder.fs.append(this.#folder.at(path), bytes, { sync: this.#sync });
      own.size = own.sizeAfterAppend;
    } catch (error) {
      // a part of a line may be there now: the next append looks
      this.#ownFiles.delete(path);
      throw error;
    }
  }

  /**
   * Whether a file has just the bytes that this writer put there.
   * @param size that was seen a moment ago
   */
  async isUntouched(path: string, size: number): Promise<boolean> {
    if (!this.#ownFiles.has(path)) return false;
    if (this.#isAsWritten(path, size)) return true;
    // we may have appended since
    const now = await this.#folder.fs.stat(this.#folder.at(path));
    if (now && this.#isAsWritten(path, now.size)) return true;
    // something else has changed it: the next append looks at how it ends
    this.#ownFiles.delete(path);
    return false;
  }

  #isAsWritten(path: string, size: number): boolean {
    const own = this.#ownFiles.get(path);
    return own !== undefined && size >= own.size && size <= own.sizeAfterAppend;
  }

  async #lookAt(path: string): Promise<OwnFile> {
    const size = (await this.#folder.fs.stat(this.#folder.at(path)))?.size ?? 0;
    return { size, sizeAfterAppend: size };
  }

  async #endsWithNewline(path: string, size: number): Promise<boolean> {
    const last = await this.#folder.fs.read(this.#folder.at(path), { offset: size - 1, length: 1 });
    return last?.[0] === LF;
  }
}
