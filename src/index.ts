export { errorCode, FoldspaceError } from "./errors.ts";
export type { FoldspaceErrorCode, FoldspaceErrorOptions, Problem } from "./errors.ts";
export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { BIN_ID, compareOpIds, newId, ReplicatedTree, Vertex, VersionVector } from "./tree/index.ts";
export type {
  JsonValue,
  MoveVertex,
  OpId,
  SetVertexProperty,
  StateVector,
  VertexChangeEvent,
  VertexOperation,
} from "./tree/index.ts";
export type { FileSystem } from "./fs/file-system.ts";
export { MemoryFileSystem } from "./fs/memory-file-system.ts";
export { DEFAULT_CADENCE } from "./layers/batcher.ts";
export type { Cadence } from "./layers/batcher.ts";
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
export { explainProblem } from "./layers/folder/explain.ts";
export type { ProblemExplanation } from "./layers/folder/explain.ts";
export { migrateFolder } from "./layers/folder/migrate.ts";
export type { Migration } from "./layers/folder/migrate.ts";
export { repairFolder } from "./layers/folder/repair/repair.ts";
export type { Repair, RepairOptions, RepairProgress } from "./layers/folder/repair/repair.ts";
export type { RepairStep } from "./layers/folder/repair/plan.ts";
export { undoRepair } from "./layers/folder/repair/undo.ts";
export type { Undoing, UndoOptions } from "./layers/folder/repair/undo.ts";
export { SpaceFolder } from "./layers/folder/space-folder.ts";
export type { FolderScan, FolderState, LogEntry } from "./layers/folder/space-folder.ts";
export { summarizeFolder } from "./layers/folder/summarize.ts";
export type { FolderSummary, TreeSummary } from "./layers/folder/summarize.ts";
export { verifyFolder } from "./layers/folder/verify.ts";
export { DEFAULT_ARGON2 } from "./secrets/argon2.ts";
export type { Argon2Parameters } from "./secrets/argon2.ts";
export type { RememberedKey, SecretsMemory, SeenSecrets } from "./secrets/memory.ts";
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
export type { LayerReport } from "./space/layer-connection.ts";
export { SpaceManager } from "./space/space-manager.ts";
export type { CreateSpaceOptions, LoadSpaceOptions, SpacePointer } from "./space/space-manager.ts";
