/** Loaded only to repair or pack a folder or to change its id, which is rare. */
export { assignSpaceId, joinSpaces, packFolder, repairFolder, undoPack, undoRepair } from "foldspace";
