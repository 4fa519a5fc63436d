import type { Problem } from "../../errors.ts";
import { CheckedChanges } from "../checked-changes.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { examineCopies } from "./copies.ts";
import { digestOf, digestOfFile } from "./digest.ts";
import { completeFile } from "./own-file.ts";
import { moveAway, moveLog } from "./move-away.ts";
import type { GroupPlan, OwnFilePlan, RepairPlan, RepairStep } from "./plan.ts";
import type { MadeFile, MovedFile, RewrittenFile } from "./record.ts";
import { relayFor } from "./relay.ts";

/** Executes a plan. Leaves and reports files that have changed since the plan was made. */
export class RepairWork {
  readonly done: RepairStep[] = [];
  readonly left: Problem[] = [];
  readonly moved: MovedFile[] = [];
  readonly made: MadeFile[] = [];
  readonly rewritten: RewrittenFile[] = [];
  readonly #folder: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #repair: { readonly id: string; readonly now: Date };

  constructor(folder: SpaceFolder, repair: { readonly id: string; readonly now: Date }) {
    this.#folder = folder;
    this.#changes = new CheckedChanges(folder);
    this.#repair = repair;
  }

  async do(plan: RepairPlan, onDone: (steps: number) => void): Promise<void> {
    const steps = new Map(plan.steps.map((step) => [step.file, step]));
    for (const group of plan.groups) {
      await this.#mergeCopies(group, steps);
      onDone(this.done.length);
    }
    for (const file of plan.ownFiles) await this.#completeOwn(file, steps.get(file.entry.path)!);
    for (const file of plan.foreign) {
      await this.#moveForeign(file, steps.get(file.from)!);
      onDone(this.done.length);
    }
  }

  async #mergeCopies({ logs, copies, relay }: GroupPlan, steps: ReadonlyMap<string, RepairStep>): Promise<void> {
    const findings = await examineCopies(this.#folder, logs);
    const made = await relayFor(logs[0]!, findings.missing, this.#repair);
    const mergeable = new Map(findings.mergeable.map((copy) => [copy.entry.path, copy]));
    if (made?.path !== relay?.file || copies.some(({ from, sha256 }) => mergeable.get(from)?.sha256 !== sha256)) {
      for (const { from } of copies) this.#skip(from, "FOLD_CONFLICT_COPY", "it changed while it was being repaired");
      return;
    }
    if (made && relay) {
      await this.#changes.write(made.path, made.bytes);
      this.made.push(relay);
      this.done.push(steps.get(made.path)!);
    }
    for (const copy of copies) await this.#moveCopy(copy, mergeable.get(copy.from)!.entry, steps.get(copy.from)!);
  }

  async #moveCopy(copy: MovedFile, entry: LogEntry, step: RepairStep): Promise<void> {
    const failure = await moveLog(this.#folder, copy, entry);
    if (failure) return this.#skip(copy.from, failure.code ?? "FOLD_CONFLICT_COPY", failure.reason);
    this.moved.push(copy);
    this.done.push(step);
  }

  async #moveForeign(file: MovedFile, step: RepairStep): Promise<void> {
    const failure = await moveAway(this.#changes, file);
    if (failure) return this.#skip(file.from, failure.code, failure.reason);
    // no program reads it, so a change meanwhile does not matter
    const size = (await this.#changes.sizeOf(file.to)) ?? 0;
    this.moved.push({ ...file, sha256: await digestOfFile(this.#folder, file.to, size) });
    this.done.push(step);
  }

  async #completeOwn({ entry, logs, change }: OwnFilePlan, step: RepairStep): Promise<void> {
    const { path } = entry;
    const moved = new Map(this.moved.map(({ from, to }) => [from, to]));
    // copies may have been moved since, and are as good a source in their new places
    const sources = logs.map((log) => ({ ...log, path: moved.get(log.path) ?? log.path }));
    const completion = await completeFile(this.#folder, entry, sources);
    const isAsPlanned = completion?.shaBefore === change.before && completion.shaAfter === change.after;
    if (isAsPlanned) await this.#changes.write(change.kept, completion.before);
    const now = isAsPlanned ? await this.#changes.read(path) : undefined;
    if (!isAsPlanned || now === undefined || (await digestOf(now)) !== change.before) {
      this.#skip(path, "FOLD_TORN_LINE", "the file changed while it was being repaired: is an app still writing it?");
      return;
    }
    await this.#changes.write(path, completion.after);
    this.rewritten.push(change);
    this.done.push(step);
  }

  #skip(file: string, code: Problem["code"], reason: string): void {
    this.left.push({ code, reason, file });
  }
}
