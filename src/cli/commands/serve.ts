import { fileURLToPath } from "node:url";
import { InvalidArgumentError, Option, type Command } from "commander";
import { errorCode, errorMessage, FoldspaceError } from "../../errors.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { README_FILE } from "../../log/space-files.ts";
import { SPACE_DIR } from "../../log/paths.ts";
import { startServer, type RefusedRequest, type RunningServer, type ServeOptions } from "../../serve/server.ts";
import type { Context } from "../context.ts";
import { createSpace } from "../create.ts";
import { showInFileManager } from "../file-manager.ts";
import { cut, printable, type Output } from "../output.ts";
import { keepCopy } from "../readable-copy.ts";

interface Options {
  readonly port: number;
  readonly open?: true;
  readonly create?: true;
  readonly name?: string;
  readonly app?: string;
  readonly own?: true;
  readonly shared?: true;
  readonly readableCopy?: string;
  readonly json?: true;
}

interface FoundSpace {
  readonly spaceId: string;
  /** Whether it was made just now. */
  readonly isNew: boolean;
}

/** Browsers keep what a page stores by host and port, so it should be the same each time. */
const DEFAULT_PORT = 7367;
const MAX_ADDRESS_LENGTH = 100;
/** The paths of a space. Other programs may run files elsewhere in the folder. */
const WRITABLE = [SPACE_DIR, README_FILE];
/** Folder of the built web app, relative to the build of this file. */
const OWN_APP = { app: fileURLToPath(new URL("../../app", import.meta.url)), hashedFiles: "assets" };

export function register(program: Command, context: Context): void {
  program
    .command("serve")
    .summary("open a space in the browser")
    .description(
      "Serve a web app that works on the folder, in any browser of this machine, until interrupted. " +
        "Anyone who has the printed address can read the folder and write the space in it.",
    )
    .argument("<dir>", "folder of the space")
    .option("--port <number>", "port to listen at; 0 for any that is free", parsePort, DEFAULT_PORT)
    .option("--open", "open the browser")
    .option("--create", "make the folder into a space if it is not one yet")
    .option("--name <text>", "name of the new space")
    .option("--app <dir>", "folder of another web app, with its index.html")
    .addOption(
      new Option("--own", "this computer is yours alone: the browser may keep a copy, and opens it offline").conflicts("shared"),
    )
    .option("--shared", "others use this computer too: the browser keeps nothing")
    .option("--readable-copy <folder>", "keep every page there as a Markdown file, too, for other tools to read")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nThe address has a new token each time; FOLDSPACE_SERVE_TOKEN sets it, so that open pages continue after a restart." +
        "\n\nWithout --own or --shared the page asks, and keeps nothing in the browser until it has an answer." +
        "\n\nExample:\n  $ foldspace serve ~/Notes --open",
    )
    .action(async (directory: string, options: Options) => serve(context, context.folder(directory), options));
}

async function serve(context: Context, folder: SpaceFolder, options: Options): Promise<void> {
  const { environment } = context;
  const space = await findSpace(context, folder, options);
  const end = environment.interrupted();
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const copying = await keepReadableCopy(context, folder, space, options, Promise.race([end, stopped]));
  try {
    await serveUntil(end, context, folder, space, options);
  } finally {
    stop();
    await copying.ended;
  }
}

async function serveUntil(
  end: Promise<void>,
  context: Context,
  folder: SpaceFolder,
  { spaceId, isNew }: FoundSpace,
  options: Options,
): Promise<void> {
  const { environment, output } = context;
  const token = environment.variables["FOLDSPACE_SERVE_TOKEN"];
  const server = await startServerAt(options.port, {
    path: folder.path,
    writable: WRITABLE,
    spaceId,
    // a damaged file is reported by the pages, which read the folder themselves
    readSpaceId: async () => (await folder.readSpaceFile().catch(() => undefined))?.id,
    isNew,
    onRefused: (request) => void noteRefusal(output, request),
    showFolder: async () => await showInFileManager(folder.path),
    ...(options.app === undefined ? OWN_APP : { app: context.path(options.app) }),
    machine: options.own ? "own" : options.shared ? "shared" : undefined,
    ...(token === undefined ? {} : { token }),
  });
  try {
    const { url, port } = server;
    if (options.json) await output.json({ url, port, path: folder.path, spaceId });
    else await output.line(url);
    await output.flush();
    await output.note(`serving ${folder.path}`);
    if (options.open) await openBrowser(url, output);
    await end;
  } finally {
    await server.close();
  }
}

async function noteRefusal(output: Output, { host, origin, expected }: RefusedRequest): Promise<void> {
  const page = origin === undefined ? "" : ` by a page of ${printable(cut(origin, MAX_ADDRESS_LENGTH))}`;
  const address = printable(cut(host, MAX_ADDRESS_LENGTH));
  await output.note(`foldspace: a request for ${address}${page} was refused: ${expected}`);
}

async function startServerAt(port: number, options: ServeOptions): Promise<RunningServer> {
  try {
    return await startServer({ ...options, port });
  } catch (error) {
    if (errorCode(error) !== "FOLD_BUSY") throw error;
    const message = `Another program uses port ${port}: choose another one with --port, or --port 0 for any that is free`;
    throw new FoldspaceError("FOLD_BUSY", message, { data: { port }, cause: error });
  }
}

/** @returns resolves when the folder for it has proven fit, to a promise of the end, which never rejects */
async function keepReadableCopy(
  context: Context,
  { path }: SpaceFolder,
  { spaceId }: FoundSpace,
  { readableCopy }: Options,
  end: Promise<void>,
): Promise<{ readonly ended: Promise<void> }> {
  if (readableCopy === undefined) return { ended: Promise.resolve() };
  const { ended } = await keepCopy(context, path, spaceId, readableCopy, end);
  // serving goes on without it
  return {
    ended: ended.catch(
      async (error: unknown) =>
        await context.output.note(`foldspace: the readable copy is no longer kept up to date: ${errorMessage(error)}`),
    ),
  };
}

async function findSpace(context: Context, folder: SpaceFolder, options: Options): Promise<FoundSpace> {
  const state = await folder.inspect();
  if (state.kind === "space") return { spaceId: state.spaceFile.id, isNew: false };
  if (options.create) return { spaceId: await createSpace(folder, options.name, context), isNew: true };
  const error = folder.errorFor(state.kind);
  if (state.kind === "old-format") throw error;
  throw new FoldspaceError(error.code, `${error.message}: --create makes one`, { data: error.data });
}

async function openBrowser(url: string, output: Output): Promise<void> {
  try {
    const { default: open } = await import("open");
    await open(url);
  } catch (error) {
    // the user can open the printed address
    await output.note(`foldspace: no browser could be opened: ${errorMessage(error)}`);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It is not a number from 0 to 65535.");
}
