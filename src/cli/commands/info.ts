import type { Command } from "commander";
import { summarizeFolder, type FolderSummary } from "../../maintenance/summarize.ts";
import { listReferences } from "../../space/app-forest.ts";
import type { Context } from "../context.ts";
import { devicesOf, type DeviceInfo } from "../devices.ts";
import { count, cut, grouped, printable, shortId, type Output } from "../output.ts";

/** As many as the app lists. */
const LISTED_DEVICES = 12;

interface TreeInfo {
  readonly id: string;
  readonly title?: string;
  readonly appId?: string;
  readonly isSpaceTree: boolean;
  /** Whether the space tree references it. */
  readonly isReferenced: boolean;
  readonly hasRoot: boolean;
  readonly operations: number;
  readonly files: number;
  readonly bytes: number;
}

interface SpaceInfo {
  readonly id: string;
  readonly name?: string;
  readonly path: string;
  readonly trees: readonly TreeInfo[];
  readonly peers: readonly string[];
  /** Those that the app has named, the latest first. */
  readonly devices: readonly DeviceInfo[];
  readonly files: number;
  readonly bytes: number;
  readonly days: { readonly count: number; readonly first?: string; readonly last?: string };
  readonly problems: number;
  /** Ids of other spaces that began in the folder. */
  readonly otherSpaces: readonly string[];
}

export function register(program: Command, context: Context): void {
  program
    .command("info")
    .summary("show what a space contains")
    .description("Show what a space contains: its trees, who wrote them, when, and how much. Writes nothing.")
    .argument("<dir>", "folder of the space")
    .option("--json", "print it as JSON, with the list of peers")
    .addHelpText("after", "\nExample:\n  $ foldspace info ~/Notes")
    .action(async (directory: string, options: { json?: true }) => {
      const { output } = context;
      const folder = context.folder(directory);
      const { id } = await folder.open();
      const summary = await summarizeFolder(folder, id, ({ filesRead, files }) =>
        output.progress(() => `Reading ${filesRead} of ${count(files, "file")}`),
      );
      const info = toInfo(id, folder.path, summary);
      if (options.json) await output.json(info);
      else await show(info, directory, output);
    });
}

function toInfo(id: string, path: string, summary: FolderSummary): SpaceInfo {
  const titles = new Map(listReferences(summary.directory).map((reference) => [reference.treeId, reference.name]));
  const { name } = summary.directory.root ?? {};
  const trees = summary.trees.map(({ treeId, rootProperties, hasRoot, opCount, files, bytes }): TreeInfo => {
    const isSpaceTree = treeId === id;
    const title = isSpaceTree ? name : titles.get(treeId);
    const appId = rootProperties.get("appId");
    return {
      id: treeId,
      ...(title === undefined ? {} : { title }),
      ...(typeof appId === "string" ? { appId } : {}),
      isSpaceTree,
      isReferenced: isSpaceTree || titles.has(treeId),
      hasRoot,
      operations: opCount,
      files,
      bytes,
    };
  });
  const first = summary.days[0];
  const last = summary.days.at(-1);
  return {
    id,
    ...(name === undefined ? {} : { name }),
    path,
    // the space tree first, because it names the others
    trees: trees.toSorted((a, b) => Number(b.isSpaceTree) - Number(a.isSpaceTree)),
    peers: summary.peerIds,
    devices: devicesOf(summary.trees.find(({ treeId }) => treeId === id)?.rootProperties ?? new Map(), summary.lastDays),
    files: summary.files,
    bytes: summary.bytes,
    days: { count: summary.days.length, ...(first === undefined ? {} : { first }), ...(last === undefined ? {} : { last }) },
    problems: summary.problems.length,
    otherSpaces: summary.problems.flatMap(({ code, treeId }) =>
      code === "FOLD_TWO_SPACES" && treeId !== undefined ? treeId : [],
    ),
  };
}

async function show(info: SpaceInfo, directory: string, output: Output): Promise<void> {
  const { bold, dim, yellow } = output.colors;
  const { first, last } = info.days;
  const problems =
    info.problems === 0
      ? `none seen; to check everything: foldspace verify ${directory}`
      : yellow(`${grouped(info.problems)}, see: foldspace verify ${directory}`);
  await output.line(`${bold(printable(info.name ?? "(no name)"))}  ${dim(info.id)}`);
  await output.line(`folder    ${info.path} (${count(info.files, "log file")}, ${formatBytes(info.bytes)})`);
  await output.line(
    `saved     ${first === undefined ? "never" : `${first === last ? first : `${first} to ${last}, on ${count(info.days.count, "day")}`} (UTC)`}`,
  );
  await output.line(`peers     ${grouped(info.peers.length)}`);
  for (const [index, { name, lastSaved }] of info.devices.slice(0, LISTED_DEVICES).entries()) {
    const label = index === 0 ? "devices" : "";
    await output.line(
      `${label.padEnd(10)}${cut(printable(name ?? "(no name)"), 60)}${dim(`  last saved on ${lastSaved} (UTC)`)}`,
    );
  }
  await output.line(`problems  ${problems}`);
  if (info.otherSpaces.length > 0) {
    const others = info.otherSpaces.length === 1 ? "another space" : count(info.otherSpaces.length, "other space");
    await output.line(`beside    ${yellow(`${others} began in this folder, too; to join them: foldspace join ${directory}`)}`);
  }
  await output.line("");
  await output.line(dim(`${"operations".padStart(10)}  ${"tree".padEnd(8)}  title`));
  for (const tree of info.trees) {
    const title = cut(printable(tree.title ?? "(no title)"), 60);
    const notes = [
      ...(tree.isSpaceTree ? ["the space tree"] : []),
      ...(tree.appId === undefined ? [] : [`app ${printable(tree.appId)}`]),
      ...(tree.isReferenced ? [] : ["not referenced by the space tree"]),
      ...(tree.hasRoot ? [] : ["its root is missing"]),
    ];
    const operations = grouped(tree.operations).padStart(10);
    await output.line(`${operations}  ${shortId(tree.id)}  ${title}${notes.length > 0 ? dim(`  (${notes.join(", ")})`) : ""}`);
  }
}

function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}
