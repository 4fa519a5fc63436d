import { FoldspaceError, type Problem } from "../errors.ts";
import { KeyedMutex } from "../mutex.ts";
import { Observable } from "../observable.ts";
import { OFFLINE_STATUS, type LayerStatus } from "./persistence-layer.ts";

/** What every layer of ours tells about itself, and the order in which it connects and disconnects. */
export abstract class ObservedLayer {
  abstract readonly id: string;
  protected readonly currentStatus: Observable<LayerStatus> = new Observable<LayerStatus>(OFFLINE_STATUS);
  protected readonly currentProblems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #turns = new KeyedMutex();
  #disconnects = 0;

  get status(): LayerStatus {
    return this.currentStatus.value;
  }

  /** @returns a function that ends it */
  observeStatus(listener: (status: LayerStatus) => void): () => void {
    return this.currentStatus.observe(listener);
  }

  get problems(): readonly Problem[] {
    return this.currentProblems.value;
  }

  get problemCount(): number {
    return this.problems.length;
  }

  /** @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.currentProblems.observe(listener);
  }

  /**
   * Connects when what was asked for before is done.
   * @param connect calls `assertWanted` after it has waited for something and before it keeps anything
   * @throws FoldspaceError `FOLD_CLOSED` where the layer is to be disconnected by then, and what `connect` throws
   */
  protected async connectInTurn(connect: (assertWanted: () => void) => Promise<void>): Promise<void> {
    const asked = this.#disconnects;
    const assertWanted = (): void => {
      if (this.#disconnects !== asked)
        throw new FoldspaceError("FOLD_CLOSED", `The layer ${this.id} was disconnected while it was connecting`);
    };
    await this.#turns.run("connection", async () => {
      assertWanted();
      await connect(assertWanted);
    });
  }

  /** Disconnects when what was asked for before is done: at once, where that is nothing. */
  protected async disconnectInTurn(disconnect: () => Promise<void>): Promise<void> {
    this.#disconnects++;
    await this.#turns.run("connection", disconnect);
  }
}
