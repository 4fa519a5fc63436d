import { errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { MAX_SPACE_FILE_BYTES } from "../../limits.ts";
import { parseSpaceFile, SPACE_DIR, SPACE_FILE } from "../../log/index.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** A copy of `space.json` that names another space. */
export interface OtherSpaceFile {
  readonly file: string;
  readonly spaceId: string;
}

const SPACE_FILE_COPY = /^(?:copy of )?space(?![a-z0-9]).*\.json|^space\.json\./i;

/**
 * Finds copies of `space.json` that name another space than this one. A copy that cannot be read hinders nothing else.
 * @param onUnreadable gets the problem of each such copy
 */
export async function findOtherSpaceFiles(
  folder: SpaceFolder,
  spaceId: string | undefined,
  onUnreadable: (problem: Problem) => void,
): Promise<OtherSpaceFile[]> {
  const found: OtherSpaceFile[] = [];
  for (const { name, kind } of (await folder.fs.list(folder.at(SPACE_DIR))) ?? []) {
    const file = joinPath(SPACE_DIR, name);
    if (kind !== "file" || file === SPACE_FILE || !SPACE_FILE_COPY.test(name)) continue;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await folder.fs.read(folder.at(file), { offset: 0, length: MAX_SPACE_FILE_BYTES });
    } catch (error) {
      onUnreadable({ code: errorCode(error) ?? "FOLD_IO", reason: `cannot be read: ${errorMessage(error)}`, file });
      continue;
    }
    const id = bytes && idIn(new TextDecoder().decode(bytes));
    if (id !== undefined && id !== spaceId) found.push({ file, spaceId: id });
  }
  return found;
}

function idIn(text: string): string | undefined {
  try {
    return parseSpaceFile(text).id;
  } catch (error) {
    // a copy that was cut off names no space
    if (errorCode(error) !== "FOLD_BAD_SPACE_FILE") throw error;
    return undefined;
  }
}

export function twoSpaces({ file, spaceId }: OtherSpaceFile): Problem {
  const reason = `it names another space, ${spaceId}: two spaces began in this folder`;
  return { code: "FOLD_TWO_SPACES", reason, file, treeId: spaceId };
}
