import type { FoldspaceError, Problem } from "../errors.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { DeviceStore } from "../secrets/device-store.ts";
import type { SecretChanges, SecretMap } from "../secrets/secret-map.ts";
import type { StoredSealedFile } from "../secrets/vault-file.ts";
import type { Trace } from "../trace.ts";
import type { VertexOperation } from "../tree/index.ts";
import type { OperationColumns } from "../tree/operation-columns.ts";

/**
 * One place that keeps a space. A space has several layers at once, and the manager brings every operation to all of them.
 *
 * While a layer is not connected, `listTrees`, the calls that load or save, and `startListening` reject with `FOLD_CLOSED`;
 * `stopListening` and `rescan` do nothing.
 *
 * Implementations pass `testPersistenceLayer` of `foldspace/testing`. `Batcher` and `ObservedLayer` do most of the work for them.
 */
export interface PersistenceLayer {
  /** Distinguishes the layers of one space. */
  readonly id: string;
  /** The place in words, as part of a sentence of an error: `the folder ./home`. Default: "the layer" and its id. */
  readonly label?: string;
  /**
   * Informative: foldspace itself reads neither this nor {@link supportsIncomingSync} nor {@link isConnected}. Only
   * `testPersistenceLayer` checks them.
   */
  readonly type: "local" | "remote";
  readonly spaceId: string;
  /**
   * Whether operations made elsewhere arrive while the layer has a listener: it has `startListening` and `stopListening`. Informative: foldspace itself does not read
   * this, but calls {@link startListening} of each layer that has that method.
   */
  readonly supportsIncomingSync: boolean;

  /**
   * Prepares to load and save. Connecting while connected changes nothing. Each call to connect or disconnect waits for the
   * calls before it.
   * @throws FoldspaceError why the layer cannot be used; nothing has been written then. `FOLD_NOT_FOUND` or `FOLD_NOT_A_SPACE` if
   *   the storage is missing and the session does not create it, unless missing storage counts as empty; `FOLD_SPACE_MISMATCH` if
   *   it keeps another space; `FOLD_CLOSED` if the layer is disconnected meanwhile
   */
  connect(session?: LayerSession): Promise<void>;
  /** Flushes, stops listening and releases everything. Does not throw for operations that could not be saved: see `status`. */
  disconnect(): Promise<void>;
  /**
   * Continues as another peer, because another device or program uses the peer of the session. A layer must implement this if
   * it writes files that only its peer may write.
   */
  changePeer?(peerId: string): void;
  /** Whether the layer is connected. Informative: foldspace itself does not call this method. */
  isConnected(): boolean;
  /**
   * While connected, identifies the place that keeps the space among all places that this program uses, regardless of the name,
   * spelling or link by which it was opened. `undefined` if the place cannot be identified.
   */
  readonly placeId?: string | undefined;

  /** Ids of all trees of which this layer has operations, including the space tree. */
  listTrees(): Promise<string[]>;
  /** Operations of the space tree. */
  loadSpaceTreeOps(): Promise<VertexOperation[]>;
  /**
   * Reads all operations of a tree, some perhaps more than once; none if the layer does not know the tree. If the layer can
   * never keep a tree with such an id, it returns none and reports a problem (`FOLD_BAD_ID`). From now on the layer follows
   * the tree: the listener gets operations that arrive later, and those that could not be read now. Following takes memory in
   * proportion to the number of files or batches, not of operations, and time in proportion to what arrives.
   * @throws FoldspaceError why nothing of the tree could be read; other trees are not affected
   */
  loadTreeOps(treeId: string): Promise<VertexOperation[]>;
  /**
   * As {@link loadTreeOps}, without an object per operation. Only layers that read log files have this method, which is not for
   * other implementations.
   *
   * @internal
   */
  loadTreeColumns?(treeId: string): Promise<OperationColumns[]>;
  /**
   * Continues to read a tree where an earlier instance stopped, and follows it as {@link loadTreeOps} does. Only together with
   * {@link readingOf}.
   * @param reading that {@link readingOf} has given in an earlier instance, from this place
   * @returns what was added since; `undefined` if other contents are there, so that the tree must be loaded
   * @throws FoldspaceError why the layer cannot be asked
   *
   * @internal
   */
  resumeTree?(treeId: string, reading: unknown): Promise<OperationColumns[] | undefined>;
  /**
   * Reports to the listener what it has not reported yet of a tree that it follows, and says how far the tree has been read then.
   * @returns plain data; `undefined` if that cannot be said at present
   * @throws FoldspaceError why the layer cannot be asked
   *
   * @internal
   */
  readingOf?(treeId: string): Promise<unknown>;
  /** Stops following a tree until it is loaded again. */
  releaseTree?(treeId: string): void;
  /**
   * Queues operations. Resolves when they are durable here; rejects if the layer is disconnected before that.
   * Operations of a peer or tree that the layer can never keep are a problem (`FOLD_BAD_ID`), and do not affect other
   * operations. If an operation could not be read back unchanged from any layer, the call rejects and queues none.
   */
  saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void>;
  /** Saves all queued operations now. @throws FoldspaceError why some could not be saved; those stay queued */
  flush(): Promise<void>;
  /**
   * Begins to save everything in this turn, because the page may be gone after it. A layer that can only `flush` lacks this
   * method.
   */
  flushOnPageHide?(): void;

  /** Starts to report operations that come from elsewhere. A layer has one listener at a time. */
  startListening?(listener: (change: IncomingChange) => void): Promise<void>;
  /** Reports noticed changes that the listener has not got yet, and stops. */
  stopListening?(): Promise<void>;
  /** Checks for changes without waiting for a notification: on focus, after sleep, when the network is back. */
  rescan?(): Promise<void>;
  /**
   * Rescans one tree, and reports to the listener what it has not reported yet. Does nothing without a listener.
   * @throws FoldspaceError why the tree could not be rescanned
   */
  rescanTree?(treeId: string): Promise<void>;
  /**
   * Peers of whose operations in a tree some are stored here, but not downloaded to this device, when the tree was last read or
   * rescanned. These operations are not lost, and are not written again.
   */
  peersNotDownloaded?(treeId: string): ReadonlySet<string>;

  /**
   * Loads the space's secrets; `undefined` if none were ever saved, or all were lost. A layer that keeps no secrets lacks this
   * method and `saveSecrets`.
   */
  loadSecrets?(): Promise<StoredSecrets | undefined>;
  /** Applies changes to the presently stored secrets, whichever device wrote those. Resolves when they are durable here. */
  saveSecrets?(update: SecretsUpdate): Promise<void>;
  /** While listening, notifies that secrets may have been changed elsewhere. @returns a function that ends it */
  observeSecrets?(listener: () => void): () => void;
  /** Store in which a space with this layer remembers what this device has seen of its secrets. */
  readonly deviceStore?: DeviceStore | undefined;

  /** Pool of the profile that this layer is in, for the peer of a space with this layer. */
  readonly peerPool?: PeerPool | undefined;

  readonly status: LayerStatus;
  /** @returns a function that ends it */
  observeStatus(listener: (status: LayerStatus) => void): () => void;
  /** The present problems of the stored data: a bounded number of them, and a text that counts the rest. */
  readonly problems: readonly Problem[];
  /** Number of all problems, if it may exceed those listed. */
  readonly problemCount?: number;
  /** Passes each new list of {@link problems}. @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void;
}

/** A layer in words, as part of a sentence. */
export function describeLayer({ id, label }: Pick<PersistenceLayer, "id" | "label">): string {
  return label ?? `the layer ${id === "" ? '""' : id}`;
}

/** The use of a layer by one running instance, from `connect` to `disconnect`. */
export interface LayerSession {
  /** Peer id of this running instance, which alone makes new operations here until {@link PersistenceLayer.changePeer}. */
  readonly peerId: string;
  /** Whether earlier instances have used the peer id, so that its files may have existed before and be gone. */
  readonly isPeerContinued?: boolean;
  /** Whether to create missing storage. Otherwise its absence is an error: it may be on a disk that is not mounted. */
  readonly create?: boolean;
  /** Whether the layer must write nothing, not even to tidy its storage. */
  readonly isReadOnly?: boolean;
  /** Takes the steps `saved`, `hint`, `read` and `failed` of a space that is traced. */
  readonly trace?: Trace | undefined;
}

/** Operations that a layer has found, and that another instance may have stored. */
export interface IncomingChange {
  readonly treeId: string;
  /** `undefined`: the tree changed but has not been loaded, so its operations were not read. */
  readonly ops: readonly VertexOperation[] | undefined;
  /** Whether stored operations may have vanished, so that those that the layer lacks must be written again. */
  readonly isLossy?: boolean;
}

/** The secrets as one layer has them. */
export interface StoredSecrets {
  /** Secrets without a passphrase. */
  readonly values: SecretMap;
  /**
   * In a layer that only this device uses: the secrets of the other layers when this one was last saved, as far as known. A
   * value that differs from it was changed here since.
   */
  readonly base?: SecretMap;
  /** Secrets under a passphrase: the latest file of every peer, and copies of them. */
  readonly sealed: readonly StoredSealedFile[];
  /** Whether a save, even without changes, is needed to tidy the storage. */
  readonly isUntidy?: boolean;
  /**
   * Whether readable remains from before the secrets were under a passphrase are left, besides `values`. A save with
   * `isProtected`, even without changes, removes them.
   */
  readonly hasRemains?: boolean;
  /** Whether the stored secrets are gone, so that a save, even without changes, is needed to store them again. */
  readonly isGone?: boolean;
}

/** A layer must apply the members in their order, so that nothing is missing at any time. */
export interface SecretsUpdate {
  /** The file of one peer, which replaces that peer's former one. */
  readonly sealed?: { readonly peerId: string; readonly text: string };
  readonly changes: SecretChanges;
  /** See `StoredSecrets`. */
  readonly base?: SecretMap;
  /** Whether all secrets are now under a passphrase, so that no remains of former secrets may stay. */
  readonly isProtected?: boolean;
  /** Peers whose files must be removed, because other files contain everything in them. */
  readonly retired?: readonly string[];
  /** Copies that a sync service made of such files, by `StoredSealedFile.file`. */
  readonly retiredCopies?: readonly string[];
}

/** Whether the operations of a layer are durable. */
export type LayerState =
  /** Not connected. */
  | "offline"
  /** All operations are durable. */
  | "idle"
  | "saving"
  /**
   * Saving failed, or cannot succeed at present, for example because the place contains another space now. The operations are
   * kept, and saving is retried.
   */
  | "degraded";

/** The state of a layer. A change of it gives a new object. */
export interface LayerStatus {
  readonly state: LayerState;
  /** Number of operations that are not durable yet. */
  readonly pendingOps: number;
  /** Time of the last successful save, in milliseconds since the epoch. */
  readonly lastSavedAt: number | undefined;
  /** Why the layer is degraded or could not connect. */
  readonly error: FoldspaceError | undefined;
  /**
   * Whether the platform promises to keep the storage. If not, a browser may clear it when the disk is full, or after a time
   * without a visit (Safari: 7 days). `undefined`: the layer is not kept by a browser, or the browser does not say.
   */
  readonly isPersistent?: boolean | undefined;
}

/** The status of a layer that has not been connected. */
export const OFFLINE_STATUS: LayerStatus = { state: "offline", pendingOps: 0, lastSavedAt: undefined, error: undefined };
