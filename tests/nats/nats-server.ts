import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Beside the folders of PATH: the Debian package installs it where only root looks. */
const MORE_FOLDERS = ["/usr/sbin"];
const START_MS = 20_000;

/** The program `nats-server`, by NATS_SERVER_PATH or in PATH; `undefined` if it is not installed. */
export function findNatsServer(): string | undefined {
  const { NATS_SERVER_PATH: named, PATH = "" } = process.env;
  if (named) return named;
  return [...PATH.split(delimiter), ...MORE_FOLDERS]
    .map((folder) => join(folder, "nats-server"))
    .find((path) => existsSync(path));
}

/** A real server with JetStream, in a temporary folder and on free ports, which stay the same when it is started again. */
export class NatsServer {
  readonly #folder: string;
  #ports: { readonly tcp: number; readonly webSocket: number } | undefined;
  #process: ChildProcess | undefined;
  #settings: string;

  private constructor(folder: string, settings: string) {
    this.#folder = folder;
    this.#settings = settings;
  }

  /** @param settings more lines of its configuration */
  static async start(settings = ""): Promise<NatsServer> {
    const server = new NatsServer(await mkdtemp(join(tmpdir(), "foldspace-nats-")), settings);
    await server.start();
    return server;
  }

  /** Address for Node. */
  get url(): string {
    return `nats://127.0.0.1:${this.tcpPort}`;
  }

  /** Address for pages. */
  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.#known.webSocket}`;
  }

  get tcpPort(): number {
    return this.#known.tcp;
  }

  async start(): Promise<void> {
    const program = findNatsServer();
    if (program === undefined) throw new Error("nats-server is not installed");
    const file = await this.#configure();
    const child = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    // also if the tests are interrupted
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    let output = "";
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const portsFile = join(this.#folder, `nats-server_${child.pid}.ports`);
    for (const deadline = Date.now() + START_MS; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`nats-server did not start:\n${output}`);
      if (!output.includes("Server is ready")) continue;
      const ports = JSON.parse(await readFile(portsFile, "utf8").catch(() => "{}")) as { nats?: string[]; websocket?: string[] };
      if (!ports.nats?.[0]) continue;
      this.#ports ??= { tcp: portOf(ports.nats[0]), webSocket: portOf(ports.websocket?.[0] ?? output) };
      return;
    }
  }

  /** Has the running server use other settings, which ends the connections that they no longer permit. */
  async reconfigure(settings: string): Promise<void> {
    this.#settings = settings;
    await this.#configure();
    this.#process?.kill("SIGHUP");
  }

  /** Ends the server as a crash or a power failure would. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Removes everything that the server has stored, while it is stopped. */
  async reset(): Promise<void> {
    await rm(join(this.#folder, "jetstream"), { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #configure(): Promise<string> {
    const { tcp, webSocket } = this.#ports ?? { tcp: -1, webSocket: -1 };
    const configuration = [
      `listen: "127.0.0.1:${tcp}"`,
      `websocket { listen: "127.0.0.1:${webSocket}", no_tls: true }`,
      `jetstream { store_dir: ${JSON.stringify(this.#folder)} }`,
      `ports_file_dir: ${JSON.stringify(this.#folder)}`,
      this.#settings,
    ];
    const file = join(this.#folder, "server.conf");
    await writeFile(file, `${configuration.join("\n")}\n`);
    return file;
  }

  get #known(): { readonly tcp: number; readonly webSocket: number } {
    if (!this.#ports) throw new Error("the server has not been started");
    return this.#ports;
  }
}

function portOf(address: string): number {
  return Number(/:(\d+)\/?$/.exec(address.trim())?.[1]);
}
