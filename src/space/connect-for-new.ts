import { FoldspaceError, errorCode } from "../errors.ts";
import type { LayerSession, PersistenceLayer } from "../layers/persistence-layer.ts";
import { ReplicatedTree } from "../tree/index.ts";

/**
 * Connects a layer in which a new space should be created, if its storage exists already.
 * @throws FoldspaceError `FOLD_ALREADY_A_SPACE` if it contains the space, or the reason why it cannot be used
 */
export async function connectForNew(layer: PersistenceLayer, session: LayerSession): Promise<void> {
  try {
    await layer.connect(session);
  } catch (error) {
    const code = errorCode(error);
    if (code === "FOLD_NOT_FOUND" || code === "FOLD_NOT_A_SPACE") return;
    throw error;
  }
  assertNew(new ReplicatedTree(session.peerId, await layer.loadSpaceTreeOps(), { rootId: layer.spaceId }), layer.spaceId);
}

/** @throws FoldspaceError `FOLD_ALREADY_A_SPACE` if the space tree has a root */
export function assertNew(spaceTree: ReplicatedTree, spaceId: string): void {
  if (spaceTree.root) throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `There is a space ${spaceId} already`);
}
