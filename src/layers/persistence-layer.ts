import type { FoldspaceError, Problem } from "../errors.ts";
import type { DeviceStore } from "../secrets/device-store.ts";
import type { SecretChanges, SecretMap } from "../secrets/secret-map.ts";
import type { StoredSealedFile } from "../secrets/vault-file.ts";
import type { Trace } from "../trace.ts";
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
   * Gets ready to load and save. Connecting again while connected changes nothing. Of calls to connect and to disconnect
   * each waits for those before it.
   * @throws FoldspaceError what keeps the layer from being used; nothing has been written then. `FOLD_CLOSED` where it is
   *   disconnected meanwhile
   */
  connect(session?: LayerSession): Promise<void>;
  /** Flushes, stops listening and lets go of everything. Never throws because of operations that could not be saved: `status` still tells. */
  disconnect(): Promise<void>;
  /**
   * Goes on as another peer, because somebody else uses the one it was connected as. To be there where the layer
   * writes what nobody but its peer may write.
   */
  changePeer?(peerId: string): void;
  isConnected(): boolean;
  /**
   * While connected, what tells the place in which it keeps the space from every other one of this program, under whatever
   * name, spelling or link it was given. `undefined` where that cannot be told.
   */
  readonly placeId?: string | undefined;

  /** Ids of all trees of which this layer has operations, the space tree among them. */
  listTrees(): Promise<string[]>;
  /** Operations of the space tree. */
  loadSpaceTreeOps(): Promise<VertexOperation[]>;
  /**
   * All operations of a tree, some perhaps more than once; none where the tree is not known. A tree whose id it can never keep
   * has none, and is a problem (`FOLD_BAD_ID`). From now on the tree is followed: what arrives for it is given to the
   * listener, also what could not be read now. Following takes memory by the number of files or batches, not of operations,
   * and time by what arrives.
   * @throws FoldspaceError why nothing of the tree could be read. That costs the other trees nothing
   */
  loadTreeOps(treeId: string): Promise<VertexOperation[]>;
  /** No longer follows a tree, until it is loaded again. */
  releaseTree?(treeId: string): void;
  /**
   * Takes operations to be saved; resolves when they are durable here, rejects if the layer is disconnected before.
   * Those of a peer, or of a tree, that it can never keep are a problem (`FOLD_BAD_ID`), and hinder no others. If one could not be read back
   * as it is, whoever keeps it, the call rejects and takes none.
   */
  saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void>;
  /** Saves at once what is waiting. @throws FoldspaceError why some of it could not be saved; it stays queued */
  flush(): Promise<void>;
  /**
   * The page may be gone after this turn: begins to save everything in it. A layer that cannot do better than to flush lacks
   * this.
   */
  flushOnPageHide?(): void;

  /** Starts telling of operations that come from elsewhere. There is one listener at a time. */
  startListening?(listener: (change: IncomingChange) => void): Promise<void>;
  /** Tells before it ends what was noticed and not told yet. */
  stopListening?(): Promise<void>;
  /** Looks for what changed without waiting to be told: on focus, after sleep, when the network is back. */
  rescan?(): Promise<void>;
  /**
   * Looks at what it holds of one tree by now, and gives the listener what has not been given yet. Does nothing without a
   * listener.
   * @throws FoldspaceError why it could not look
   */
  rescanTree?(treeId: string): Promise<void>;

  /**
   * What is kept of the space's secrets; `undefined` where nothing was ever saved, or all of it was lost. A layer that
   * keeps no secrets lacks this and the next.
   */
  loadSecrets?(): Promise<StoredSecrets | undefined>;
  /** Makes changes to what is kept by then, whoever has written it; resolves when they are durable here. */
  saveSecrets?(update: SecretsUpdate): Promise<void>;
  /** Tells, while listening, that secrets may have been changed elsewhere. @returns a function that ends it */
  observeSecrets?(listener: () => void): () => void;
  /** Where a space with this layer remembers what this device has seen of its secrets. */
  readonly deviceStore?: DeviceStore | undefined;

  readonly status: LayerStatus;
  /** @returns a function that ends it */
  observeStatus(listener: (status: LayerStatus) => void): () => void;
  /** What is wrong with the stored data at present: a bounded number of problems, and words that count the rest. */
  readonly problems: readonly Problem[];
  /** How many there are in all, where that may be more than are listed. */
  readonly problemCount?: number;
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void;
}

export interface LayerSession {
  /** Peer id of this running instance: the only one that makes new operations here, until {@link PersistenceLayer.changePeer}. */
  readonly peerId: string;
  /** Whether to make the storage if it is not there. Otherwise its absence is an error: it may be a disk that is not mounted. */
  readonly create?: boolean;
  /** Whether the layer is to write nothing, not even to put its storage in order. */
  readonly isReadOnly?: boolean;
  /** Takes the steps `saved`, `hint`, `read` and `failed` of a space that is traced. */
  readonly trace?: Trace | undefined;
}

export interface IncomingChange {
  readonly treeId: string;
  /** `undefined`: the tree changed but has not been loaded, so its operations were left where they are. */
  readonly ops: readonly VertexOperation[] | undefined;
  /** Whether stored operations may have vanished, so that what the layer lacks has to be written again. */
  readonly isLossy?: boolean;
}

export interface StoredSecrets {
  /** Secrets without a passphrase. */
  readonly values: SecretMap;
  /**
   * In a layer that is this device's alone: the secrets of the other layers when this one was last saved, as far as that is
   * known. What differs from it was changed here since.
   */
  readonly base?: SecretMap;
  /** Secrets under a passphrase: the latest file of every peer, and copies of them. */
  readonly sealed: readonly StoredSealedFile[];
  /** Whether a save, even of no change, is needed to put in order what is kept. */
  readonly isUntidy?: boolean;
  /**
   * Whether something is left from before the secrets were under a passphrase, besides `values`, that can still be read: a
   * save with `isProtected`, even of no change, removes it.
   */
  readonly hasRemains?: boolean;
  /** Whether what was kept is gone, so that a save, even of no change, is needed to have it kept again. */
  readonly isGone?: boolean;
}

/** To be done in the order of the members, so that at any time nothing is missing. */
export interface SecretsUpdate {
  /** The file of one peer, which replaces that peer's former one. */
  readonly sealed?: { readonly peerId: string; readonly text: string };
  readonly changes: SecretChanges;
  /** See `StoredSecrets`. */
  readonly base?: SecretMap;
  /** Whether everything has been moved under a passphrase, so that no remains of former secrets are to be left. */
  readonly isProtected?: boolean;
  /** Peers whose files say nothing that is not in others, and are to be removed. */
  readonly retired?: readonly string[];
  /** Copies that a sync service made of such files, by `StoredSealedFile.file`. */
  readonly retiredCopies?: readonly string[];
}

export type LayerState =
  /** Not connected. */
  | "offline"
  /** Everything handed over is durable. */
  | "idle"
  | "saving"
  /**
   * Saving failed, or could not succeed at present, as where the place holds another space by now. The operations are kept
   * and tried again.
   */
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
