import { SpaceFolder } from "foldspace";
import type { OpenFolder } from "../../session/folder-source.ts";
import { attempt } from "./notices.svelte.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** A change of a folder's files that is planned first, and done if the user agrees. */
export class FolderChange<T> {
  /** While the user is asked for consent. */
  plan: T | undefined = $state.raw();
  done: T | undefined = $state.raw();
  isWorking: boolean = $state(false);
  readonly #folder: () => OpenFolder;
  readonly #workspace: Workspace;

  constructor(folder: () => OpenFolder, workspace: Workspace) {
    this.#folder = folder;
    this.#workspace = workspace;
  }

  /** Works on the folder without changing it. @param failure the message if that fails */
  examine(failure: string, action: (space: SpaceFolder) => Promise<void>): void {
    const { fs, path } = this.#folder();
    this.isWorking = true;
    void attempt(failure, () => action(new SpaceFolder(fs, path))).finally(() => (this.isWorking = false));
  }

  /** Changes the folder, and has the open space rescan it. @param failure as for {@link examine} */
  apply(failure: string, action: (space: SpaceFolder) => Promise<void>): void {
    this.plan = undefined;
    this.examine(failure, async (space) => {
      await action(space);
      await this.#workspace.session.space.rescan();
    });
  }
}
