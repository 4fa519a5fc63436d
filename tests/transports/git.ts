import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, runWell, type Finished } from "./run.ts";
import { RepeatedExchange, type Site } from "./transport.ts";

const WHO = {
  GIT_AUTHOR_NAME: "a device",
  GIT_AUTHOR_EMAIL: "device@example.org",
  GIT_COMMITTER_NAME: "a device",
  GIT_COMMITTER_EMAIL: "device@example.org",
  GIT_CONFIG_NOSYSTEM: "1",
};

/** Commit, pull and push through a bare repository. */
export class Git extends RepeatedExchange {
  readonly #site: Site;
  readonly #settings: readonly string[];
  #hasBegun = false;
  #conflicts = 0;

  /** @param settings as for `git -c`, of both devices */
  constructor(site: Site, settings: readonly string[]) {
    super(site);
    this.#site = site;
    this.#settings = settings;
  }

  protected async exchange(): Promise<void> {
    if (!this.#hasBegun) await this.#begin();
    this.#hasBegun = true;
    // the first again, for what the second has given
    for (const folder of [...this.folders, this.folders[0]]) await this.#exchangeIn(folder);
  }

  async #begin(): Promise<void> {
    const { root, one, two } = this.#site;
    const bare = join(root, "bare.git");
    await this.#git(root, "init", "--quiet", "--bare", "--initial-branch=main", bare);
    await this.#git(one, "init", "--quiet", "--initial-branch=main");
    await this.#git(one, "remote", "add", "origin", bare);
    await this.#git(one, "add", "--all");
    await this.#git(one, "commit", "--quiet", "--message=begin");
    await this.#git(one, "push", "--quiet", "--set-upstream", "origin", "main");
    mkdirSync(two);
    await this.#git(root, "clone", "--quiet", bare, two);
  }

  async #exchangeIn(folder: string): Promise<void> {
    const added = await this.#try(folder, "add", "--all");
    if (isOvertaken(added)) return;
    await this.#commit(folder);
    const pulled = await this.#try(folder, "pull", "--quiet", "--no-rebase", "--no-edit");
    if (isOvertaken(pulled)) return;
    if (pulled.code !== 0) await this.#keepBoth(folder, pulled);
    await this.#git(folder, "push", "--quiet");
  }

  async #commit(folder: string): Promise<void> {
    const isUnchanged = (await this.#try(folder, "diff", "--cached", "--quiet")).code === 0;
    if (!isUnchanged) await this.#git(folder, "commit", "--quiet", "--message=sync");
  }

  /** What Git cannot merge keeps its name with our content; theirs is put beside it, as `git mergetool` does. */
  async #keepBoth(folder: string, { output }: Finished): Promise<void> {
    const unmerged = (await this.#git(folder, "diff", "--name-only", "--diff-filter=U"))
      .split("\n")
      .filter((name) => name !== "");
    if (unmerged.length === 0) throw new Error(`git pull failed: ${output}`);
    for (const name of unmerged) {
      const theirs = await this.#git(folder, "show", `:3:${name}`);
      writeFileSync(join(folder, `${name}_REMOTE_${++this.#conflicts}`), theirs);
    }
    await this.#git(folder, "add", "--all");
    await this.#commit(folder);
  }

  async #git(folder: string, ...args: string[]): Promise<string> {
    return await runWell("git", this.#args(args), this.#options(folder));
  }

  async #try(folder: string, ...args: string[]): Promise<Finished> {
    return await run("git", this.#args(args), this.#options(folder));
  }

  #args(args: readonly string[]): string[] {
    return [...this.#settings.flatMap((setting) => ["-c", setting]), ...args];
  }

  #options(cwd: string): { home: string; cwd: string; variables: Record<string, string> } {
    return { home: this.#site.root, cwd, variables: WHO };
  }
}

/** Whether a file has changed while Git was at work: the next run takes it as it is then. */
function isOvertaken({ code, output }: Finished): boolean {
  return code !== 0 && /would be overwritten by merge|No such file or directory|short read/.test(output);
}
