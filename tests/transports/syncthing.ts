import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { commandOf, runWell } from "./run.ts";
import type { Site, Transport } from "./transport.ts";
import { until } from "./until.ts";

const API_KEY = "transports";
const ANSWERS_WITHIN_MS = 30_000;
const LOG_LINES = 15;
/**
 * Ends Syncthing when this process ends, whatever ends it: the pipe closes then. Its database is made anew for each test,
 * so that it need not be asked.
 */
const GUARD = '"$0" "$@" & cat; kill -KILL $!; wait $!';

/** Two instances of Syncthing on this machine that know of each other and of nobody else. */
export class Syncthing implements Transport {
  readonly folders: readonly [string, string];
  readonly #instances: readonly [Instance, Instance];
  #areAcquainted = false;

  private constructor(instances: readonly [Instance, Instance]) {
    this.#instances = instances;
    this.folders = [instances[0].folder, instances[1].folder];
  }

  /** @param delayS how long it gathers changes, in whole seconds; 10 is its default */
  static async start({ root, one, two }: Site, delayS: number): Promise<Syncthing> {
    mkdirSync(two);
    const instances = [await Instance.make(join(root, "one.st"), one), await Instance.make(join(root, "two.st"), two)] as const;
    const syncthing = new Syncthing(instances);
    try {
      for (const instance of instances) instance.start(instances, delayS);
      for (const instance of instances) await instance.answers();
    } catch (error) {
      await syncthing.end();
      throw error;
    }
    return syncthing;
  }

  get failure(): Error | undefined {
    return this.#instances.find((instance) => instance.failure)?.failure;
  }

  async join(): Promise<void> {
    const [one, two] = this.#instances;
    if (!this.#areAcquainted) {
      this.#areAcquainted = true;
      await two.ask("PATCH", `config/devices/${one.id}`, { addresses: [await one.address()] });
    } else {
      await one.ask("POST", `system/resume?device=${two.id}`);
      await two.ask("POST", `system/resume?device=${one.id}`);
    }
    await this.#untilConnected(true);
  }

  async part(): Promise<void> {
    const [one, two] = this.#instances;
    await one.ask("POST", `system/pause?device=${two.id}`);
    await two.ask("POST", `system/pause?device=${one.id}`);
    await this.#untilConnected(false);
    for (const instance of this.#instances) {
      await until(ANSWERS_WITHIN_MS, async () =>
        (await instance.isIdle()) ? undefined : `Syncthing goes on alone\n${instance.log()}`,
      );
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.end()));
  }

  async #untilConnected(wanted: boolean): Promise<void> {
    const [one, two] = this.#instances;
    await until(ANSWERS_WITHIN_MS, async () => {
      const areConnected = (await one.isConnectedTo(two)) && (await two.isConnectedTo(one));
      const isConnected = (await one.isConnectedTo(two)) || (await two.isConnectedTo(one));
      if (wanted ? areConnected : !isConnected) return undefined;
      return `the instances of Syncthing are ${wanted ? "not" : "still"} connected\n${one.log()}`;
    });
  }
}

class Instance {
  readonly folder: string;
  readonly id: string;
  failure: Error | undefined;
  readonly #home: string;
  #process: ChildProcess | undefined;
  #hasEnded: Promise<void> = Promise.resolve();
  #isEnding = false;

  private constructor(home: string, folder: string, id: string) {
    this.#home = home;
    this.folder = folder;
    this.id = id;
  }

  static async make(home: string, folder: string): Promise<Instance> {
    mkdirSync(home);
    await runWell("syncthing", ["generate", `--home=${home}`, "--no-default-folder"], { home });
    return new Instance(home, folder, (await runWell("syncthing", [`--home=${home}`, "--device-id"], { home })).trim());
  }

  start(all: readonly Instance[], delayS: number): void {
    // which it wants to see before it believes that the folder is mounted
    mkdirSync(join(this.folder, ".stfolder"));
    writeFileSync(join(this.#home, "config.xml"), configuration(this.folder, this.#socket, all, delayS));
    const log = openSync(this.#logFile, "a");
    // it is its own monitor otherwise, and starts a second process
    const env = { PATH: process.env["PATH"], HOME: this.#home, STMONITORED: "yes", STNOUPGRADE: "1" };
    const args = ["-c", GUARD, commandOf("syncthing"), `--home=${this.#home}`, "--no-browser"];
    this.#process = spawn("sh", args, { env, stdio: ["pipe", log, log] });
    closeSync(log);
    this.#hasEnded = new Promise((resolve) => {
      this.#process?.once("exit", () => {
        if (!this.#isEnding) this.failure = new Error(`Syncthing has ended:\n${this.log()}`);
        resolve();
      });
    });
  }

  async answers(): Promise<void> {
    await until(ANSWERS_WITHIN_MS, async () => {
      try {
        await this.address();
        return undefined;
      } catch (error) {
        return `Syncthing does not answer: ${String(error)}\n${this.log()}`;
      }
    });
  }

  /** Where it listens; the system has chosen the port. */
  async address(): Promise<string> {
    const { connectionServiceStatus } = (await this.ask("GET", "system/status")) as {
      connectionServiceStatus: Record<string, { lanAddresses: string[] | null }>;
    };
    const [address] = Object.values(connectionServiceStatus).flatMap(({ lanAddresses }) => lanAddresses ?? []);
    if (address === undefined) throw new Error("it does not listen yet");
    return address;
  }

  async isConnectedTo(other: Instance): Promise<boolean> {
    const { connections } = (await this.ask("GET", "system/connections")) as {
      connections: Record<string, { connected: boolean }>;
    };
    return connections[other.id]?.connected ?? false;
  }

  /** Whether it neither looks through its folder nor writes into it. */
  async isIdle(): Promise<boolean> {
    return ((await this.ask("GET", "db/status?folder=space")) as { state: string }).state === "idle";
  }

  /** Calls its REST API. @throws Error where it refuses or cannot be reached */
  async ask(method: string, path: string, body?: object): Promise<unknown> {
    const options = {
      socketPath: this.#socket,
      path: `/rest/${path}`,
      method,
      headers: { "X-API-Key": API_KEY },
      timeout: 10_000,
    };
    return await new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        let text = "";
        response.on("data", (bytes: Buffer) => (text += bytes.toString()));
        response.on("end", () => {
          if (response.statusCode === 200) resolve(text === "" ? undefined : JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      call.on("timeout", () => call.destroy(new Error(`${method} ${path} is not answered`)));
      call.on("error", reject);
      call.end(body && JSON.stringify(body));
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#process?.stdin?.end();
    await this.#hasEnded;
  }

  log(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n");
  }

  get #logFile(): string {
    return join(this.#home, "log");
  }

  get #socket(): string {
    return join(this.#home, "api");
  }
}

/** What is not said is as Syncthing has it by default. */
function configuration(folder: string, socket: string, all: readonly Instance[], delayS: number): string {
  const settings = {
    listenAddress: "tcp://127.0.0.1:0",
    globalAnnounceEnabled: false,
    localAnnounceEnabled: false,
    relaysEnabled: false,
    natEnabled: false,
    stunKeepaliveStartS: 0,
    urAccepted: -1,
    autoUpgradeIntervalH: 0,
    crashReportingEnabled: false,
    startBrowser: false,
    setLowPriority: false,
    reconnectionIntervalS: 1,
  };
  const options = Object.entries(settings).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<configuration version="36">
  <folder id="space" path="${folder}" fsWatcherEnabled="true" fsWatcherDelayS="${delayS}" rescanIntervalS="3600">
    ${all.map(({ id }) => `<device id="${id}"/>`).join("")}
    <minDiskFree unit="%">0</minDiskFree>
    <maxConflicts>10</maxConflicts>
  </folder>
  ${all.map(({ id }) => `<device id="${id}"><address>dynamic</address></device>`).join("")}
  <gui enabled="true"><address>${socket}</address><apikey>${API_KEY}</apikey></gui>
  <options>${options.join("")}</options>
</configuration>
`;
}
