import { FoldspaceError, type FoldspaceErrorCode, type Problem } from "../errors.ts";
import { Observable } from "../observable.ts";
import type { LayerConnection, LayerReport, NotDurable } from "./layer-connection.ts";

/** The state of all layers of a space, in the order in which they were added. */
export interface SpaceStatus {
  readonly layers: readonly LayerReport[];
  /** Why this instance has a new peer id instead of one from the pool; absent if it has one, or needs none. */
  readonly peerFailure?: FoldspaceError;
}

/** A source of problems. */
interface ProblemSource {
  readonly problems: readonly Problem[];
  /** The number of all problems, if `problems` is a sample. */
  readonly problemCount?: number;
  observeProblems(listener: () => void): () => void;
}

/** Number of the space's own problems that are kept. */
const MAX_OWN_PROBLEMS = 100;

/** The layers of an open space, their status and their problems. */
export class LayerSet {
  readonly status: Observable<SpaceStatus> = new Observable<SpaceStatus>({ layers: [] });
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  /** Problems that belong to no single layer. */
  readonly #ownProblems: Problem[] = [];
  #ownProblemCount = 0;
  readonly #sources: ProblemSource[] = [];
  #peerFailure: FoldspaceError | undefined;
  readonly #endObserving = new Map<LayerConnection, () => void>();

  /** In the order in which they were added. */
  get connections(): LayerConnection[] {
    return [...this.#endObserving.keys()];
  }

  /** The number of all problems; `problems` may be a sample. */
  get problemCount(): number {
    const sources: ProblemSource[] = [...this.#sources, ...this.connections.map(({ layer }) => layer)];
    return sources.reduce((count, source) => count + (source.problemCount ?? source.problems.length), this.#ownProblemCount);
  }

  find(layerId: string): LayerConnection | undefined {
    return this.connections.find(({ id }) => id === layerId);
  }

  add(connection: LayerConnection): void {
    const { layer } = connection;
    const endStatus = layer.observeStatus(() => this.publishStatus());
    const endProblems = layer.observeProblems(() => this.#publishProblems());
    this.#endObserving.set(connection, () => {
      endStatus();
      endProblems();
    });
    this.publishStatus();
    this.#publishProblems();
  }

  /** Forgets a layer at once, and disconnects it. */
  async drop(connection: LayerConnection): Promise<void> {
    this.#endObserving.get(connection)?.();
    this.#endObserving.delete(connection);
    this.publishStatus();
    this.#publishProblems();
    await connection.close();
  }

  /** Disconnects all layers; their last reports stay. */
  async close(): Promise<void> {
    await Promise.all(this.connections.map(async (connection) => await connection.close()));
    for (const end of this.#endObserving.values()) end();
    this.publishStatus();
  }

  /** Adds a problem to those of the layers. */
  report(problem: Problem): void {
    this.#ownProblemCount++;
    if (this.#ownProblems.length >= MAX_OWN_PROBLEMS) return;
    this.#ownProblems.push(problem);
    this.#publishProblems();
  }

  /** Adds the problems of another source to those of the layers. */
  include(source: ProblemSource): void {
    this.#sources.push(source);
    source.observeProblems(() => this.#publishProblems());
  }

  /** Adds to the status why the instance has no peer of the pool. */
  reportPeer(failure: FoldspaceError | undefined): void {
    this.#peerFailure = failure;
    this.publishStatus();
  }

  publishStatus(): void {
    const layers = this.connections.map((connection) => connection.report());
    this.status.value = { layers, ...(this.#peerFailure && { peerFailure: this.#peerFailure }) };
  }

  #publishProblems(): void {
    const others = this.#sources.flatMap((source) => source.problems);
    this.problems.value = [...this.#ownProblems, ...others, ...this.connections.flatMap(({ layer }) => layer.problems)];
  }
}

/** @throws FoldspaceError `FOLD_NOT_DURABLE`, with the layers that lack something in `data.layers` */
export function assertDurable(reports: readonly (NotDurable | undefined)[]): void {
  const lacking = reports.filter((report) => report !== undefined);
  if (lacking.length === 0) return;
  const reasons = lacking.map(
    ({ label, pendingOps, reason }) => `${label} (${pendingOps} ${pendingOps === 1 ? "change" : "changes"} waiting): ${reason}`,
  );
  const layers = lacking.map(({ label: _label, ...report }) => report);
  throw new FoldspaceError("FOLD_NOT_DURABLE", `Not everything is saved in ${reasons.join("; ")}`, { data: { layers } });
}

/** Codes of layers that have no space, and are ready to get one. */
const ABSENCE: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>(["FOLD_NOT_FOUND", "FOLD_NOT_A_SPACE"]);

/**
 * The reason why a space could not be opened.
 * @param failures of the failed layers; the others have timed out
 * @param hasOperations whether some layer gave an operation of the space tree
 */
export function whyNotOpened(
  spaceId: string,
  connections: readonly LayerConnection[],
  failures: ReadonlyMap<LayerConnection, FoldspaceError>,
  hasOperations: boolean,
): FoldspaceError {
  const errors = connections.map(
    (connection) => failures.get(connection) ?? new FoldspaceError("FOLD_TIMEOUT", `${connection.label} timed out`),
  );
  const layers = errors.map(({ code, message }, index) => {
    return { id: connections[index]!.id, code, reason: message };
  });
  const reasons = errors.map(({ message }) => message).join("; ");
  const isAbsence = ({ code }: FoldspaceError): boolean => ABSENCE.has(code) || (code === "FOLD_NO_ROOT" && !hasOperations);
  if (errors.every(isAbsence)) {
    const remedy = "make it with createSpace, or use openOrCreate, which makes it if it is missing";
    return new FoldspaceError("FOLD_NOT_FOUND", `There is no space ${spaceId} yet: ${remedy} (${reasons})`, {
      data: { layers },
      cause: errors[0],
    });
  }
  if (errors.length === 1) return errors[0]!;
  return new FoldspaceError("FOLD_NO_LAYER", `No layer could open space ${spaceId}: ${reasons}`, { data: { layers } });
}
