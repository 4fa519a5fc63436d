import { FoldspaceError, type Problem } from "../../errors.ts";
import { classifyEntry, type LogEntry, type SpaceFolder } from "../../layers/folder/space-folder.ts";
import { CheckedChanges } from "../checked-changes.ts";
import { moveLog } from "../repair/move-away.ts";
import { keptPath, type MovedFile } from "../repair/record.ts";
import { readContents, type PackedFile } from "./packed-file.ts";
import { planPeer, type PackedGroup, type PackPlan } from "./plan.ts";

/** Executes a plan. Leaves and reports files that have changed since the plan was made. */
export class PackWork {
  readonly left: Problem[] = [];
  readonly moved: MovedFile[] = [];
  /** Paths of the packed files that were written. */
  readonly written: string[] = [];
  /** Groups whose files were taken away. */
  readonly done: PackedGroup[] = [];
  readonly #folder: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #id: string;

  /** @param id of the packing, which names its folder in `lost+found` */
  constructor(folder: SpaceFolder, id: string) {
    this.#folder = folder;
    this.#changes = new CheckedChanges(folder);
    this.#id = id;
  }

  /**
   * @param onDone gets the number of files that were taken away
   * @throws FoldspaceError `FOLD_IO` or the code of its problem if a packed file does not read back as it was written, and errors of the file system
   */
  async do(plan: PackPlan, onDone: (files: number) => void): Promise<void> {
    for (const { logs, groups, context } of plan.peers) {
      const now = await planPeer(this.#folder, logs, context);
      if (signatureOf(now.groups) !== signatureOf(groups)) {
        const inputs = groups.flatMap((group) => group.inputs);
        for (const { entry } of inputs)
          this.#skip(entry.path, "FOLD_BUSY", "a file of its peer changed while it was being packed");
        continue;
      }
      for (const group of now.groups) {
        await this.#pack(group, logs);
        onDone(this.moved.length);
      }
    }
  }

  async #pack(group: PackedGroup, logs: readonly LogEntry[]): Promise<void> {
    const { output, inputs } = group;
    if (output && !logs.some(({ path }) => path === output.path)) await this.#write(output);
    for (const { entry, sha256 } of inputs) {
      const file = { from: entry.path, to: keptPath(this.#id, entry.path), sha256 };
      const failure = await moveLog(this.#folder, file, entry);
      if (failure) this.#skip(entry.path, failure.code ?? "FOLD_CONFLICT_COPY", failure.reason);
      else this.moved.push(file);
    }
    this.done.push(group);
  }

  /** Writes a file, and reads back every operation. */
  async #write({ path, bytes, sha256 }: PackedFile): Promise<void> {
    await this.#changes.write(path, bytes);
    const { log } = classifyEntry(path, { kind: "file", size: bytes.length, modifiedMs: 0 });
    const found = log && (await readContents(this.#folder, log));
    if (!found || "code" in found || found.sha256 !== sha256) {
      const [code, why] = found && "code" in found ? [found.code, `: ${found.reason}`] : (["FOLD_IO", ""] as const);
      const reason = `${this.#folder.at(path)} does not read back as it was written${why}`;
      throw new FoldspaceError(code, reason, { data: { file: path } });
    }
    this.written.push(path);
  }

  #skip(file: string, code: Problem["code"], reason: string): void {
    this.left.push({ code, reason, file });
  }
}

function signatureOf(groups: readonly PackedGroup[]): string {
  return JSON.stringify(
    groups.map(({ inputs, output }) => [output?.path, output?.sha256, inputs.map(({ entry, sha256 }) => [entry.path, sha256])]),
  );
}
