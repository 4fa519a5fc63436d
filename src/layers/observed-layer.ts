import { FoldspaceError, type Problem } from "../errors.ts";
import { KeyedMutex } from "../mutex.ts";
import { Observable } from "../observable.ts";
import { describeLayer, OFFLINE_STATUS, type LayerStatus } from "./persistence-layer.ts";

/** Base of our layers: publishes status and problems, and runs calls to connect and disconnect one after another. */
export abstract class ObservedLayer {
  abstract readonly id: string;
  readonly label?: string;
  protected readonly currentStatus: Observable<LayerStatus> = new Observable<LayerStatus>(OFFLINE_STATUS);
  protected readonly currentProblems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #mutex = new KeyedMutex();
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
   * Connects after earlier calls to connect and disconnect.
   * @param connect calls `assertWanted` after every wait and before it keeps anything
   * @throws FoldspaceError `FOLD_CLOSED` if the layer was disconnected meanwhile, and the errors of `connect`
   */
  protected async connectInTurn(connect: (assertWanted: () => void) => Promise<void>): Promise<void> {
    const asked = this.#disconnects;
    const assertWanted = (): void => {
      if (this.#disconnects !== asked)
        throw new FoldspaceError("FOLD_CLOSED", `${describeLayer(this)} was disconnected while it was connecting`);
    };
    await this.#mutex.run("connection", async () => {
      assertWanted();
      await connect(assertWanted);
    });
  }

  /** Disconnects after earlier calls to connect and disconnect; at once, if there were no such calls. */
  protected async disconnectInTurn(disconnect: () => Promise<void>): Promise<void> {
    this.#disconnects++;
    await this.#mutex.run("connection", disconnect);
  }
}
