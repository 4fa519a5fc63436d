import { run } from "./run.ts";
import { RepeatedExchange, type Site } from "./transport.ts";

/** Files were gone before they could be copied, such as temporary ones. */
const SOME_VANISHED = 24;

/** rsync in both directions, which deletes nothing. */
export class Rsync extends RepeatedExchange {
  readonly #home: string;
  readonly #option: string;

  /** @param option `-au` leaves a newer file of the other side alone, `-a` replaces it */
  constructor(site: Site, option: "-a" | "-au") {
    super(site);
    this.#home = site.root;
    this.#option = option;
  }

  protected async exchange(): Promise<void> {
    const [one, two] = this.folders;
    for (const [from, to] of [
      [one, two],
      [two, one],
    ]) {
      const { code, output } = await run("rsync", [this.#option, `${from}/`, `${to}/`], { home: this.#home });
      if (code !== 0 && code !== SOME_VANISHED) throw new Error(`rsync ended with ${code}: ${output}`);
    }
  }
}
