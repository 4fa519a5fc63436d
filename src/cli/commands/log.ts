import type { Command } from "commander";
import { compareOpIds, OpIdSet, type VertexOperation } from "../../tree/index.ts";
import type { Context } from "../context.ts";
import { Describer, operationToJson } from "../describe.ts";
import { findTree } from "../find.ts";
import { follow } from "../follow.ts";
import { noteProblems, openForReading, type OpenedSpace } from "../open.ts";
import { cut, printable, shortId, type Output } from "../output.ts";

interface Options {
  readonly follow?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("log")
    .summary("show every operation")
    .description("Show every operation, tree by tree, in the order in which they take effect. Writes nothing.")
    .argument("<dir>", "folder of the space")
    .argument("[tree]", "only this tree: its id, the beginning of its id, or its title")
    .option("-f, --follow", "continue with operations as they arrive, until interrupted")
    .option("--json", "print one JSON object per operation and line")
    .addHelpText("after", "\nExample:\n  $ foldspace log ~/Notes --json | grep '\"counter\":17,'")
    .action(async (directory: string, wanted: string | undefined, options: Options) => {
      const end = options.follow ? context.environment.interrupted() : undefined;
      const space = await openForReading(context, directory);
      const only = wanted === undefined ? undefined : findTree(space.trees, wanted).id;
      const printer = new LogPrinter(context.output, space, options.json ?? false);
      if (end) await printAndFollow(context, space, end, only, printer);
      else await printAll(space, only, printer);
      if (!end) await noteProblems(context, directory, space);
    });
}

async function printAll({ trees, layer }: OpenedSpace, only: string | undefined, printer: LogPrinter): Promise<void> {
  for (const { id } of trees) {
    if (only !== undefined && id !== only) continue;
    const known = new OpIdSet();
    const ops = (await layer.loadTreeOps(id)).filter((op) => known.add(op.id));
    await printer.print(
      id,
      ops.sort((a, b) => compareOpIds(a.id, b.id)),
    );
  }
}

async function printAndFollow(
  { output }: Context,
  { layer }: OpenedSpace,
  end: Promise<void>,
  only: string | undefined,
  printer: LogPrinter,
): Promise<void> {
  let isReady = false;
  for await (const event of follow(layer, end, only)) {
    if (event.kind === "ops") await printer.print(event.treeId, event.ops);
    else if (event.kind === "problem") await output.note(`foldspace: ${printable(event.problem.reason)} (${event.problem.code})`);
    else isReady = true;
    if (isReady) await output.flush();
  }
}

class LogPrinter {
  readonly #output: Output;
  readonly #titles: ReadonlyMap<string, string | undefined>;
  readonly #isJson: boolean;
  readonly #describers = new Map<string, Describer>();
  #lastTree: string | undefined;

  constructor(output: Output, space: OpenedSpace, isJson: boolean) {
    this.#output = output;
    this.#titles = new Map(space.trees.map(({ id, title }) => [id, title]));
    this.#isJson = isJson;
  }

  async print(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    if (this.#isJson) for (const op of ops) await this.#output.json(operationToJson(treeId, op));
    else if (ops.length > 0) await this.#printForPeople(treeId, ops);
  }

  async #printForPeople(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const { bold, dim } = this.#output.colors;
    if (treeId !== this.#lastTree) {
      const title = printable(this.#titles.get(treeId) ?? "(no title)");
      await this.#output.line(`${this.#lastTree === undefined ? "" : "\n"}${bold(title)}  ${dim(treeId)}`);
      this.#lastTree = treeId;
    }
    let describer = this.#describers.get(treeId);
    if (!describer) this.#describers.set(treeId, (describer = new Describer()));
    for (const op of ops) describer.learnName(op);
    const { columns } = this.#output;
    for (const op of ops) {
      const id = `${String(op.id.counter).padStart(7)} ${shortId(op.id.peerId)}`;
      const text = describer.describe(op);
      describer.learnPlace(op);
      await this.#output.line(`${dim(id)}  ${cut(text, columns === undefined ? undefined : columns - id.length - 2)}`);
    }
  }
}
