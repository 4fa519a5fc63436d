/** Loaded only for a repair of a folder or a change of its id, which are rare. */
export { assignSpaceId, joinSpaces, repairFolder, undoRepair } from "foldspace";
