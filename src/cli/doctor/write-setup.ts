import { realpathSync } from "node:fs";
import type { FileSystem } from "../../fs/file-system.ts";
import { decodeText } from "../decode-text.ts";
import type { Carrier } from "./carriers.ts";
import { placesOf, type Advice, type Place } from "./place.ts";
import { missingSettings, type Setting, type Setup, type SettingsFile } from "./setups.ts";

/** A file of settings after it was set up. */
export interface WrittenSettings {
  readonly path: string;
  readonly isNew: boolean;
  readonly added: readonly string[];
}

export interface WrittenSetup {
  readonly files: readonly WrittenSettings[];
  /** Steps to take by hand, and facts to know. */
  readonly advice: readonly Advice[];
}

/**
 * Writes the settings that a carrier needs for a space. It only makes files, and appends lines that are missing: what a
 * person has written stays.
 * @param space folder of the space
 * @throws FoldspaceError `FOLD_BAD_UTF8` for a file that is not UTF-8, and errors of the file system, as for a link
 */
export async function writeSetup(fs: FileSystem, carrier: Carrier & { setup: Setup }, space: string): Promise<WrittenSetup> {
  const { setup, findMark, advise } = carrier;
  const places = placesOf(realpathSync(space));
  const inSpace = places[0]!;
  const root = places.find((place) => findMark(place) !== undefined);
  const advice = advise(root ?? inSpace);
  if (!root && setup.needsMark !== undefined)
    return { files: [], advice: [{ text: setup.needsMark, isNeeded: true }, ...advice] };
  const target = setup.isAtRoot ? (root ?? inSpace) : inSpace;
  const files: WrittenSettings[] = [];
  for (const file of setup.files) files.push(await writeFile(fs, file, target, setup.isAtRoot ? [] : [root?.read(file.name)]));
  return { files, advice };
}

/** @param outer texts of the same file in folders above, which also count */
async function writeFile(
  fs: FileSystem,
  file: SettingsFile,
  { path: folder }: Place,
  outer: readonly (string | undefined)[],
): Promise<WrittenSettings> {
  const path = `${folder}/${file.name}`;
  const bytes = await fs.read(path);
  const text = bytes && decodeText(bytes, path);
  const missing = missingSettings(file, [...outer, text]);
  if (missing.length > 0) await fs.append(path, new TextEncoder().encode(additionTo(text, file, missing)));
  return { path, isNew: bytes === undefined && missing.length > 0, added: missing.map(({ line }) => line) };
}

/** The lines to append, with the line ends of the file, and an empty line before them. */
function additionTo(text: string | undefined, { comment, section }: SettingsFile, missing: readonly Setting[]): string {
  const lines = [
    ...(text === undefined || text === "" ? [] : [""]),
    ...(section === undefined ? [] : [section]),
    `${comment} for the files of foldspace`,
    ...missing.map(({ line }) => line),
  ];
  const end = text?.includes("\r\n") ? "\r\n" : "\n";
  const endOfLast = text === undefined || text === "" || text.endsWith("\n") ? "" : end;
  return endOfLast + lines.map((line) => line + end).join("");
}
