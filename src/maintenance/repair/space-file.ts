import { errorCode } from "../../errors.ts";
import { encodeSpaceFile, SPACE_FILE } from "../../log/index.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { findOtherSpaceFiles } from "../../layers/folder/other-space-files.ts";
import { CheckedChanges } from "../checked-changes.ts";
import { findSpaceTrees } from "../space-trees.ts";
import type { RepairStep } from "./plan.ts";
import { keptPath } from "./record.ts";

type SpaceFileStep = Extract<RepairStep, { kind: "space-file" }>;

/**
 * Plans to write `space.json` again if it is damaged or missing, and the operations in the folder belong to one space.
 * @param id of the repair
 * @returns the id of the space, and the step, if one is needed
 * @throws FoldspaceError as `SpaceFolder.open`, if there is no space, or more than one
 */
export async function planSpaceFile(
  folder: SpaceFolder,
  id: string,
): Promise<{ readonly spaceId: string; readonly step?: SpaceFileStep }> {
  try {
    return { spaceId: (await folder.open()).id };
  } catch (error) {
    if (errorCode(error) !== "FOLD_BAD_SPACE_FILE") throw error;
    const { logs, outOfReach } = await folder.scan();
    const [only, ...others] = await findSpaceTrees(folder, logs);
    // what cannot be read may be the space, and the copy of another device may name it
    if (!only || others.length > 0 || outOfReach.length > 0) throw error;
    let isClear = true;
    const copies = await findOtherSpaceFiles(folder, only.spaceId, () => (isClear = false));
    if (!isClear || copies.length > 0) throw error;
    const hasFile = ((await new CheckedChanges(folder).sizeOf(SPACE_FILE)) ?? 0) > 0;
    const to = hasFile ? keptPath(id, SPACE_FILE) : undefined;
    return { spaceId: only.spaceId, step: { kind: "space-file", file: SPACE_FILE, to, spaceId: only.spaceId } };
  }
}

export async function writeSpaceFile(folder: SpaceFolder, { file, to, spaceId }: SpaceFileStep): Promise<void> {
  const changes = new CheckedChanges(folder);
  if (to !== undefined) await changes.moveFile(file, to);
  await changes.write(file, new TextEncoder().encode(encodeSpaceFile({ id: spaceId })));
}
