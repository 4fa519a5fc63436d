import { join } from "node:path";
import { run } from "./run.ts";
import { RepeatedExchange, type Site } from "./transport.ts";

/** Files changed while they were being carried, which the next run carries. */
const SOME_SKIPPED = 2;

/** Unison, which asks nothing and takes the newer one where both sides have changed a file. */
export class Unison extends RepeatedExchange {
  readonly #home: string;
  readonly #keepBoth: boolean;

  /** @param keepBoth whether what lost is kept under another name */
  constructor(site: Site, keepBoth: boolean) {
    super(site);
    this.#home = site.root;
    this.#keepBoth = keepBoth;
  }

  protected async exchange(): Promise<void> {
    const options = ["-ui", "text", "-batch", "-silent", "-times", "-prefer", "newer", "-log=false"];
    if (this.#keepBoth) options.push("-copyonconflict");
    const variables = { UNISON: join(this.#home, "unison") };
    const { code, output } = await run("unison", [...this.folders, ...options], { home: this.#home, variables });
    if (code > SOME_SKIPPED) throw new Error(`unison ended with ${code}: ${output}`);
  }
}
