import type { Clock } from "../clock.ts";
import { FoldspaceError, type Problem } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { Observable } from "../observable.ts";
import { LayerLink, type LayerReport, type NotDurable } from "./layer-link.ts";

export interface SpaceStatus {
  readonly layers: readonly LayerReport[];
}

/** What else in a space may have problems. */
interface ProblemSource {
  readonly problems: readonly Problem[];
  observeProblems(listener: () => void): () => void;
}

/** The layers of an open space: which there are, which take part, and how they are. */
export class LayerSet {
  readonly status: Observable<SpaceStatus> = new Observable<SpaceStatus>({ layers: [] });
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  /** Layers that have given their space tree and now take part in everything. */
  readonly active: Set<PersistenceLayer> = new Set();
  /** What is wrong with none of the layers in particular. */
  readonly #ownProblems: Problem[] = [];
  readonly #sources: ProblemSource[] = [];
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #endObserving = new Map<LayerLink, () => void>();

  /** @param patienceMs longest wait for a layer when something has to end */
  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** In the order in which they were added. */
  get links(): LayerLink[] {
    return [...this.#endObserving.keys()];
  }

  linkOf(layer: PersistenceLayer): LayerLink | undefined {
    return this.links.find((link) => link.layer === layer);
  }

  add(layer: PersistenceLayer): LayerLink {
    const link = new LayerLink(layer, this.#clock, this.#patienceMs, () => this.#publish());
    const endStatus = layer.observeStatus(() => this.#publish());
    const endProblems = layer.observeProblems(() => this.#publish());
    this.#endObserving.set(link, () => {
      endStatus();
      endProblems();
    });
    return link;
  }

  /** Lets go of a layer. */
  async drop(link: LayerLink): Promise<void> {
    this.active.delete(link.layer);
    await link.close();
    this.#endObserving.get(link)?.();
    this.#endObserving.delete(link);
    this.#publish();
  }

  /** Lets go of all layers; their last reports stay. */
  async close(): Promise<void> {
    this.active.clear();
    await Promise.all(this.links.map(async (link) => await link.close()));
    for (const end of this.#endObserving.values()) end();
    this.#publish();
  }

  /** Notes that a layer has fallen behind. */
  fail(layer: PersistenceLayer, error: unknown): void {
    this.linkOf(layer)?.fail(error);
  }

  /** Adds a problem to those that the layers have. */
  report(problem: Problem): void {
    this.#ownProblems.push(problem);
    this.#publish();
  }

  /** Adds the problems of something else to those that the layers have. */
  include(source: ProblemSource): void {
    this.#sources.push(source);
    source.observeProblems(() => this.#publish());
  }

  /** Waits until every layer has been read, or long enough. */
  async settled(): Promise<void> {
    await Promise.all(this.links.map(async (link) => await link.settled()));
  }

  /** To be called when they have {@link settled}. @returns what is lacking in which */
  async flush(): Promise<(NotDurable | undefined)[]> {
    return await Promise.all(this.links.map(async (link) => await link.flush()));
  }

  /** Begins to save in all layers, because the page may be gone after this turn. */
  leave(): void {
    for (const layer of this.active) {
      if (layer.leave) layer.leave();
      // failures are in the status, and there is no one left to tell
      else layer.flush().catch(() => undefined);
    }
  }

  /** Has all layers tell what they have not told yet, and nothing more, without waiting for them to end it. */
  stopListening(): void {
    // what fails here does so once more when the layer is let go of
    for (const layer of this.active) layer.stopListening?.().catch(() => undefined);
  }

  /** Looks in all layers for what has changed. Never rejects: a layer that cannot look has fallen behind. */
  async rescan(): Promise<void> {
    const look = async (layer: PersistenceLayer): Promise<void> => {
      try {
        await layer.rescan?.();
      } catch (error) {
        this.fail(layer, error);
      }
    };
    await Promise.all([...this.active].map(look));
  }

  /** Ids of the trees that some layer has operations of. @throws FoldspaceError why, if no layer can say */
  async listTrees(): Promise<Set<string>> {
    const treeIds = new Set<string>();
    const layers = [...this.active];
    const failures: unknown[] = [];
    for (const layer of layers) {
      try {
        for (const treeId of await layer.listTrees()) treeIds.add(treeId);
      } catch (error) {
        this.fail(layer, error);
        failures.push(error);
      }
    }
    if (failures.length > 0 && failures.length === layers.length) throw failures[0];
    return treeIds;
  }

  #publish(): void {
    this.status.value = { layers: this.links.map((link) => link.report()) };
    const others = this.#sources.flatMap((source) => source.problems);
    const problems = [...this.#ownProblems, ...others, ...this.links.flatMap(({ layer }) => layer.problems)];
    const known = this.problems.value;
    const isSame = problems.length === known.length && problems.every((problem, index) => problem === known[index]);
    if (!isSame) this.problems.value = problems;
  }
}

/** @throws FoldspaceError `FOLD_NOT_DURABLE`, with the layers that lack something in `data.layers` */
export function assertDurable(reports: readonly (NotDurable | undefined)[]): void {
  const lacking = reports.filter((report) => report !== undefined);
  if (lacking.length === 0) return;
  const reasons = lacking.map(({ id, pendingOps, reason }) => `${id} (${pendingOps} operations waiting): ${reason}`);
  throw new FoldspaceError("FOLD_NOT_DURABLE", `Not everything is saved in ${reasons.join("; ")}`, { data: { layers: lacking } });
}

/** Why a space could not be opened. @param failures of the layers that have failed; the others have not answered */
export function whyNotOpened(
  spaceId: string,
  links: readonly LayerLink[],
  failures: ReadonlyMap<LayerLink, FoldspaceError>,
): FoldspaceError {
  const errors = links.map(
    (link) => failures.get(link) ?? new FoldspaceError("FOLD_BUSY", `${link.layer.id} has not answered in time`),
  );
  if (errors.length === 1) return errors[0]!;
  const layers = errors.map(({ code, message }, index) => ({ id: links[index]!.layer.id, code, reason: message }));
  const reasons = errors.map(({ message }) => message).join("; ");
  return new FoldspaceError("FOLD_NO_LAYER", `No layer could open space ${spaceId}: ${reasons}`, { data: { layers } });
}
