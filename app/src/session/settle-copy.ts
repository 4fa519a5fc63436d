import { SpaceFolder, type AssignedId } from "foldspace";
import { notePlace } from "./known-place.ts";
import type { Session } from "./session.svelte.ts";

/** Continues in the folder of a copy: the space has moved there. The session must be opened again. */
export async function moveHere({ space, folder }: Session): Promise<void> {
  if (folder.kind === "open") await notePlace(space.id, folder.folder);
}

/**
 * Makes the copy a space of its own. The session is closed, and must be opened again with the new id.
 * @throws FoldspaceError as `assignSpaceId`
 */
export async function makeOwn(session: Session): Promise<AssignedId | undefined> {
  const { folder } = session;
  if (folder.kind !== "open") return undefined;
  const { assignSpaceId } = await import("./repairing.ts");
  await session.close();
  return await assignSpaceId(new SpaceFolder(folder.folder.fs, folder.folder.path));
}
