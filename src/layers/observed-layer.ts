import type { Problem } from "../errors.ts";
import { Observable } from "../observable.ts";
import { OFFLINE_STATUS, type LayerStatus } from "./persistence-layer.ts";

/** What every layer of ours tells about itself. */
export abstract class ObservedLayer {
  protected readonly currentStatus: Observable<LayerStatus> = new Observable<LayerStatus>(OFFLINE_STATUS);
  protected readonly currentProblems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);

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

  /** @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.currentProblems.observe(listener);
  }
}
