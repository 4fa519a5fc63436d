import type { Command } from "commander";
import type { Context } from "../context.ts";
import { Describer, operationToJson } from "../describe.ts";
import { findTree } from "../find.ts";
import { follow, type FollowEvent } from "../follow.ts";
import { openForReading, type OpenedSpace } from "../open.ts";
import { cut, localTime, printable, shortId } from "../output.ts";

interface Options {
  readonly tree?: string;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("watch")
    .summary("print changes as they arrive")
    .description(
      "Print a line for every change as it arrives, with the local time, in any tree, until interrupted. Writes nothing into the folder.",
    )
    .argument("<dir>", "folder of the space")
    .option("--tree <tree>", "only this tree: its id, the beginning of its id, or its title")
    .option("--json", 'print JSON lines: first {"event":"ready"}, then one object per operation')
    .addHelpText("after", "\nExample:\n  $ foldspace watch ~/Notes --json")
    .action(async (directory: string, options: Options) => {
      const end = context.environment.interrupted();
      const space = await openForReading(context, directory);
      const only = options.tree === undefined ? undefined : findTree(space.trees, options.tree).id;
      const watcher = new Watcher(context, space, context.path(directory), options.json ?? false);
      for await (const event of follow(space.layer, end, only)) await watcher.ingest(event);
    });
}

class Watcher {
  readonly #context: Context;
  readonly #path: string;
  readonly #isJson: boolean;
  readonly #titles: ReadonlyMap<string, string | undefined>;
  readonly #describers = new Map<string, Describer>();
  #isReady = false;

  constructor(context: Context, space: OpenedSpace, path: string, isJson: boolean) {
    this.#context = context;
    this.#path = path;
    this.#isJson = isJson;
    this.#titles = new Map(space.trees.map(({ id, title }) => [id, title]));
  }

  async ingest(event: FollowEvent): Promise<void> {
    const { output } = this.#context;
    if (event.kind === "problem") {
      const { code, reason, file } = event.problem;
      await output.note(`foldspace: ${printable(`${file === undefined ? "" : `${file}: `}${reason}`)} (${code})`);
    } else if (event.kind === "ready") {
      this.#isReady = true;
      if (this.#isJson) await output.json({ event: "ready" });
      await output.note(`watching ${this.#path}`);
    } else {
      await this.#takeOps(event.treeId, event.ops);
      await output.flush();
    }
  }

  async #takeOps(treeId: string, ops: Extract<FollowEvent, { kind: "ops" }>["ops"]): Promise<void> {
    const { output } = this.#context;
    const now = new Date();
    if (this.#isJson) {
      const time = now.toISOString();
      if (this.#isReady) for (const op of ops) await output.json({ time, ...operationToJson(treeId, op) });
      return;
    }
    let describer = this.#describers.get(treeId);
    if (!describer) this.#describers.set(treeId, (describer = new Describer()));
    for (const op of ops) describer.learnName(op);
    for (const op of ops) {
      if (this.#isReady) {
        const title = cut(printable(this.#titles.get(treeId) ?? shortId(treeId)), 20);
        const line = `${localTime(now)}  ${title}  ${describer.describe(op)}`;
        await output.line(cut(line, output.columns));
      }
      describer.learnPlace(op);
    }
  }
}
