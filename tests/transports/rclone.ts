import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { tell } from "./figures.ts";
import { run, runWell } from "./run.ts";
import { RepeatedExchange, type Site } from "./transport.ts";

/** `rclone bisync`. */
export class RcloneBisync extends RepeatedExchange {
  readonly #home: string;
  /** How often it gave up and had to be told to begin anew. */
  #resyncs = 0;
  #hasBegun = false;

  constructor(site: Site) {
    super(site);
    this.#home = site.root;
    mkdirSync(site.two);
  }

  override async end(): Promise<void> {
    await super.end();
    if (this.#resyncs > 0) tell(`rclone bisync gave up ${this.#resyncs} times in ${this.exchanges} runs and was begun anew`);
  }

  protected async exchange(): Promise<void> {
    const options = ["--workdir", join(this.#home, "bisync"), "--config", join(this.#home, "rclone.conf")];
    const args = ["bisync", ...this.folders, ...options];
    if (!this.#hasBegun) {
      await runWell("rclone", [...args, "--resync"], { home: this.#home });
      this.#hasBegun = true;
      return;
    }
    const { code, output } = await run("rclone", args, { home: this.#home });
    if (code === 0) return;
    // a file that changes while it is carried makes it give up, for good if it fears for its listings
    if (!output.includes("--resync")) return;
    this.#resyncs++;
    this.#hasBegun = false;
  }
}
