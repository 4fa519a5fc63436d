import type { CopyReport, SpaceCopy } from "foldspace";
import { isStorageAllowed } from "../../session/browser-settings.ts";
import { forgetCopyFolder, openCopy, recallCopyFolder, rememberCopyFolder } from "../../session/copy-folder.ts";
import { isLocked, type LockedFolder, type OpenFolder } from "../../session/folder-source.ts";
import { folderSource } from "../../session/folder-sources.ts";
import { inOneTab } from "../../session/one-tab.ts";
import type { Session } from "../../session/session.svelte.ts";
import { whenIdle } from "./idle.ts";
import { attempt, notices } from "./notices.svelte.ts";

/** Delay before the copy of an earlier visit is continued, in milliseconds, so that more urgent work comes first. */
const SETTLED_MS = 2_000;

export type CopyState =
  | { readonly kind: "none" }
  /** The browser asks the user again before it gives access to the folder. */
  | { readonly kind: "locked"; readonly folder: LockedFolder }
  | { readonly kind: "kept"; readonly folder: OpenFolder };

/** The readable copy of the open space in a folder, which one tab keeps up to date while it is open. */
export class KeptCopy {
  readonly #session: Session;
  state: CopyState = $state.raw({ kind: "none" });
  /** Whether another tab keeps it. */
  isElsewhere: boolean = $state(false);
  /** When it was brought up to date last. */
  updatedAt: number | undefined = $state();
  /** Why the last attempt to bring it up to date has failed. */
  failure: unknown = $state.raw();
  #ending = new AbortController();
  #keeping: Promise<void> = Promise.resolve();
  readonly #start: ReturnType<typeof setTimeout>;

  constructor(session: Session) {
    this.#session = session;
    this.#start = setTimeout(() => void attempt("The readable copy could not be continued.", () => this.#resume()), SETTLED_MS);
  }

  /** Lets the user choose a folder for it. Must be called during a click. @throws FoldspaceError if the copy cannot be there */
  async choose(): Promise<void> {
    const folder = await folderSource.choose("copy");
    if (folder) await this.#take(folder);
  }

  /** Uses the folder of an earlier visit again. Must be called during a click. @returns whether the user allowed it */
  async reconnect(): Promise<boolean> {
    if (this.state.kind !== "locked") return true;
    const folder = await this.state.folder.unlock();
    if (folder) await this.#take(folder);
    return folder !== undefined;
  }

  /** Ends it. The files stay. */
  async stop(): Promise<void> {
    await forgetCopyFolder(this.#session.space.id);
    await this.close();
    this.state = { kind: "none" };
  }

  /** Brings it up to date for the last time. The next visit continues it. */
  async close(): Promise<void> {
    clearTimeout(this.#start);
    this.#ending.abort();
    await this.#keeping;
  }

  async #resume(): Promise<void> {
    const folder = await recallCopyFolder(this.#session.space.id);
    if (!folder || this.state.kind !== "none") return;
    if (isLocked(folder)) this.state = { kind: "locked", folder };
    else this.#keep(folder, await this.#open(folder));
  }

  async #take(folder: OpenFolder): Promise<void> {
    const copy = await this.#open(folder);
    await this.close();
    await rememberCopyFolder(this.#session.space.id, folder);
    this.#keep(folder, copy);
  }

  #keep(folder: OpenFolder, copy: SpaceCopy): void {
    const { signal } = (this.#ending = new AbortController());
    this.state = { kind: "kept", folder };
    this.isElsewhere = false;
    this.updatedAt = this.failure = undefined;
    const { id } = this.#session.space;
    const keeping = attempt("The readable copy has ended.", () =>
      inOneTab(
        `foldspace:copy:${id}`,
        signal,
        () => (this.isElsewhere = true),
        async (hasWaited) => await this.#run(hasWaited ? await this.#openAgain(folder) : copy, signal),
      ),
    );
    this.#keeping = keeping;
  }

  /** Keeps the copy until the signal. */
  async #run(copy: SpaceCopy | undefined, signal: AbortSignal): Promise<void> {
    this.isElsewhere = false;
    if (!copy) return;
    const end = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    if (!signal.aborted) {
      await copy.begin();
      await end;
    }
    await copy.close();
  }

  /** The other tab may have ended the copy, or have moved it to another folder. */
  async #openAgain(before: OpenFolder): Promise<SpaceCopy | undefined> {
    const folder = isStorageAllowed() ? await recallCopyFolder(this.#session.space.id) : before;
    if (!folder) this.state = { kind: "none" };
    else if (isLocked(folder)) this.state = { kind: "locked", folder };
    else {
      this.state = { kind: "kept", folder };
      return await this.#open(folder);
    }
    return undefined;
  }

  async #open(folder: OpenFolder): Promise<SpaceCopy> {
    return await openCopy(this.#session, folder, {
      onUpdated: (report) => this.#onUpdated(report),
      onFailed: (error) => (this.failure = error),
      pause: whenIdle,
    });
  }

  #onUpdated({ left }: CopyReport): void {
    this.updatedAt = Date.now();
    this.failure = undefined;
    for (const name of left)
      notices.inform(
        `“${name}” in the readable copy was changed by another program: it stays as it is, and is not updated any more.`,
      );
  }
}
