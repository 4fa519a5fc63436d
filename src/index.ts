export { errorCode, FoldspaceError } from "./errors.ts";
export type { FoldspaceErrorCode, FoldspaceErrorOptions, Problem } from "./errors.ts";
export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { BIN_ID, compareOpIds, newId, opIdToString, ReplicatedTree, Vertex, OpIdSet } from "./tree/index.ts";
export type {
  JsonPrimitive,
  JsonValue,
  MoveVertex,
  OpId,
  SetVertexProperty,
  StateVector,
  VertexChangeEvent,
  VertexOperation,
} from "./tree/index.ts";
export { joinPath } from "./fs/file-system.ts";
export type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  EntryKind,
  FileStat,
  IdentifiedStat,
  FileSystem,
  FileSystemSupport,
  ScannedFile,
  ScanResult,
  WatchHint,
  WatchingFileSystem,
  WatchOptions,
} from "./fs/file-system.ts";
export { MemoryFileSystem } from "./fs/memory/memory-file-system.ts";
export { Batcher, DEFAULT_FLUSH_POLICY } from "./layers/batcher.ts";
export type { BatcherOptions, FlushPolicy, QueueWrite } from "./layers/batcher.ts";
export { ObservedLayer } from "./layers/observed-layer.ts";
export { assertStorable } from "./layers/storable.ts";
export { describeLayer, OFFLINE_STATUS } from "./layers/persistence-layer.ts";
export { Observable } from "./observable.ts";
export { FileSystemPersistenceLayer } from "./layers/folder/file-system-layer.ts";
export type { FileSystemLayerOptions } from "./layers/folder/file-system-layer.ts";
export { MemoryPersistenceLayer, MemoryStore } from "./layers/memory-layer.ts";
export type { MemoryLayerOptions } from "./layers/memory-layer.ts";
export type {
  IncomingChange,
  LayerSession,
  LayerState,
  LayerStatus,
  PersistenceLayer,
  SecretsUpdate,
  StoredSecrets,
} from "./layers/persistence-layer.ts";
export { FolderSnapshots } from "./snapshots/folder-snapshots.ts";
export type { SnapshotKey, SnapshotStore } from "./snapshots/snapshot-store.ts";
export { MemoryPeerPool, MemoryPeerStore } from "./peers/memory-peer-pool.ts";
export type { PeerLease, PeerPool } from "./peers/peer-pool.ts";
export { explainProblem } from "./maintenance/explain.ts";
export type { ProblemExplanation } from "./maintenance/explain.ts";
export { migrateFolder } from "./maintenance/migrate.ts";
export type { Migration } from "./maintenance/migrate.ts";
export { assignSpaceId } from "./maintenance/assign-space-id.ts";
export type { AssignedId } from "./maintenance/assign-space-id.ts";
export { cloneSpace } from "./maintenance/clone.ts";
export type { Clone, CloneOptions } from "./maintenance/clone.ts";
export { joinSpaces } from "./maintenance/join.ts";
export type { Join, JoinOptions } from "./maintenance/join.ts";
export type { SpaceTree } from "./maintenance/space-trees.ts";
export { nameFiles } from "./readable/file-names.ts";
export type { NamedPage } from "./readable/file-names.ts";
export type { CopyReport } from "./readable/readable-copy.ts";
export { SpaceCopy } from "./readable/space-copy.ts";
export type { SpaceCopyOptions } from "./readable/space-copy.ts";
export { packFolder, undoPack } from "./maintenance/pack/pack.ts";
export type { Pack, PackOptions, BeforeAndAfter, PackProgress } from "./maintenance/pack/pack.ts";
export type { PackStep } from "./maintenance/pack/plan.ts";
export { repairFolder } from "./maintenance/repair/repair.ts";
export type { Repair, RepairOptions, RepairProgress } from "./maintenance/repair/repair.ts";
export type { RepairStep } from "./maintenance/repair/plan.ts";
export { undoRepair } from "./maintenance/repair/undo.ts";
export type { Undoing, UndoOptions } from "./maintenance/repair/undo.ts";
export { SpaceFolder } from "./layers/folder/space-folder.ts";
export type { FolderScan, FolderState, LogEntry } from "./layers/folder/space-folder.ts";
export { summarizeFolder } from "./maintenance/summarize.ts";
export type { FolderSummary, TreeSummary } from "./maintenance/summarize.ts";
export type { ReadingProgress } from "./maintenance/read-entry.ts";
export { verifyFolder } from "./maintenance/verify.ts";
export { DEFAULT_ARGON2 } from "./secrets/argon2.ts";
export type { Argon2Parameters } from "./secrets/argon2.ts";
export type { DeviceStore, KeyState, RememberedKey, SeenSecrets } from "./secrets/device-store.ts";
export type { WebCryptoKey } from "./secrets/web-crypto-key.ts";
export type { SecretChange, SecretChanges, SecretMap } from "./secrets/secret-map.ts";
export type { Protection } from "./secrets/vault-contents.ts";
export type { StoredSealedFile } from "./secrets/vault-file.ts";
export { exportMarkdown, treeMarkdown } from "./space/export-markdown.ts";
export type { MarkdownTree } from "./space/export-markdown.ts";
export {
  fromMarkdownHeading,
  fromMarkdownLine,
  outlineMarkdown,
  readOutline,
  toMarkdownHeading,
  toMarkdownLine,
  toNote,
} from "./space/export-outline.ts";
export type { OutlineItem } from "./space/export-outline.ts";
export { exportJson } from "./space/export-json.ts";
export type { AppTreeReference } from "./space/app-forest.ts";
export { Space } from "./space/space.ts";
export type { AppTree } from "./space/app-tree.ts";
export type { SpaceOptions } from "./space/space-options.ts";
export type { SecretsOptions, SpaceSecrets, UnlockOptions } from "./space/space-secrets.ts";
export type { SpaceStatus } from "./space/layer-set.ts";
export type { LayerReport, NotDurable } from "./space/layer-connection.ts";
export { SpaceManager } from "./space/space-manager.ts";
export type { CreateSpaceOptions, LoadSpaceOptions, OpenOrCreateOptions, SpacePointer } from "./space/space-manager.ts";
export { openFolder } from "./opening/open-folder.ts";
export type { OpenFolderOptions } from "./opening/open-folder.ts";
export { readSpaceId } from "./opening/read-space-id.ts";
export { formatTraceEvent } from "./trace.ts";
export type { Trace, TraceDetails, TraceEvent, TraceHop, TraceListener, TraceOptions, TracedOperation } from "./trace.ts";
export type { WebWorkerLike } from "./worker/worker-port.ts";
