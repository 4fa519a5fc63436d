/** Loaded only for a repair, which is rare. */
export { repairFolder, undoRepair } from "foldspace";
