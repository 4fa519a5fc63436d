/** Loaded when a folder is to be repaired, which hardly ever happens. */
export { repairFolder, undoRepair } from "foldspace";
