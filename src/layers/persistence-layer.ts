import type { FoldspaceError, Problem } from "../errors.ts";
import type { VertexOperation } from "../tree/index.ts";

/**
 * One place in which a space is kept. A space has several at once; the manager brings every operation to all.
 *
 * Implementations pass `testPersistenceLayer` of `foldspace/testing`.
 */
export interface PersistenceLayer {
  /** Distinguishes the layers of one space from each other. */
  readonly id: string;
  readonly type: "local" | "remote";
  readonly spaceId: string;
  /** Whether operations made elsewhere arrive while a listener is on. */
  readonly supportsIncomingSync: boolean;

  /**
   * Gets ready to load and save. Connecting again while connected changes nothing.
   * @throws FoldspaceError what keeps the layer from being used; nothing has been written then
   */
  connect(session?: LayerSession): Promise<void>;
  /** Flushes, stops listening and lets go of everything. Never throws because of operations that could not be saved: `status` still tells. */
  disconnect(): Promise<void>;
  isConnected(): boolean;

  /** Ids of all trees of which this layer has operations, the space tree among them. */
  listTrees(): Promise<string[]>;
  /** Operations of the space tree. */
  loadSpaceTreeOps(): Promise<VertexOperation[]>;
  /** All operations of a tree, some perhaps more than once; none where the tree is not known. From now on, what arrives for it is given to the listener. */
  loadTreeOps(treeId: string): Promise<VertexOperation[]>;
  /** No longer tells of what arrives for a tree, until it is loaded again. */
  releaseTree?(treeId: string): void;
  /** Takes operations to be saved; resolves when they are durable here, rejects if the layer is disconnected before. */
  saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void>;
  /** Saves at once what is waiting. @throws FoldspaceError why some of it could not be saved; it stays queued */
  flush(): Promise<void>;

  /** Starts telling of operations that come from elsewhere. There is one listener at a time. */
  startListening?(listener: (change: IncomingChange) => void): Promise<void>;
  stopListening?(): Promise<void>;
  /** Looks for what changed without waiting to be told: on focus, after sleep, when the network is back. */
  rescan?(): Promise<void>;

  readonly status: LayerStatus;
  /** @returns a function that ends it */
  observeStatus(listener: (status: LayerStatus) => void): () => void;
  /** What is wrong with the stored data at present. */
  readonly problems: readonly Problem[];
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void;
}

export interface LayerSession {
  /** Peer id of this running instance: the only one that makes new operations here. */
  readonly peerId: string;
  /** Whether to make the storage if it is not there. Otherwise its absence is an error: it may be a disk that is not mounted. */
  readonly create?: boolean;
  /** Whether the layer is to write nothing, not even to put its storage in order. */
  readonly isReadOnly?: boolean;
}

export interface IncomingChange {
  readonly treeId: string;
  /** `undefined`: the tree changed but has not been loaded, so its operations were left where they are. */
  readonly ops: readonly VertexOperation[] | undefined;
  /** Whether stored operations may have vanished, so that what the layer lacks has to be written again. */
  readonly isLossy?: boolean;
}

export type LayerState =
  /** Not connected. */
  | "offline"
  /** Everything handed over is durable. */
  | "idle"
  | "saving"
  /** Saving failed; the operations are kept and tried again. */
  | "degraded";

export interface LayerStatus {
  readonly state: LayerState;
  /** Operations handed over and not yet durable. */
  readonly pendingOps: number;
  /** Time of the last successful save, in milliseconds since the epoch. */
  readonly lastSavedAt: number | undefined;
  /** Why it is degraded or could not connect. */
  readonly error: FoldspaceError | undefined;
}

export const OFFLINE_STATUS: LayerStatus = { state: "offline", pendingOps: 0, lastSavedAt: undefined, error: undefined };
