import { concatBytes } from "../bytes.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { COPY_NAMES } from "./copy-names.ts";
import type { Random } from "./random.ts";

/** Damage that loses no operation. */
export type HarmlessDamage =
  | "repeated lines"
  | "reordered lines"
  | "repeated tail"
  | "carriage returns"
  | "merge markers"
  | "renamed to a copy"
  | "copied to a copy"
  | "evicted";

/** Damage to a log file by crashes, disks, sync services, Git and users. */
export type Damage =
  | HarmlessDamage
  | "cut"
  | "zero tail"
  | "garbage tail"
  | "hole"
  | "concatenated lines"
  | "old version copied back"
  | "deleted";

/** All kinds of damage that lose no operation. */
export const HARMLESS_DAMAGES: readonly HarmlessDamage[] = [
  "repeated lines",
  "reordered lines",
  "repeated tail",
  "carriage returns",
  "merge markers",
  "renamed to a copy",
  "copied to a copy",
  "evicted",
];

/** All kinds of damage, the harmless ones first. */
export const DAMAGES: readonly Damage[] = [
  ...HARMLESS_DAMAGES,
  "cut",
  "zero tail",
  "garbage tail",
  "hole",
  "concatenated lines",
  "old version copied back",
  "deleted",
];

const LF = 10;
const CR = 13;

/**
 * Damages a log file.
 * @returns a description of the damage; `undefined` if there is no such file
 */
export async function damageFile(fs: FileSystem, path: string, damage: Damage, random: Random): Promise<string | undefined> {
  const bytes = await fs.read(path);
  if (!bytes) return undefined;
  const at = random.integer(0, bytes.length);
  switch (damage) {
    case "renamed to a copy":
    case "copied to a copy": {
      const name = nameOfCopy(path, random);
      if (damage === "renamed to a copy") await fs.rename(path, name);
      else await fs.write(name, bytes);
      return `${damage}: ${path} to ${name}`;
    }
    case "evicted":
      await fs.rename(path, placeholderOf(path));
      break;
    case "deleted":
      await fs.remove(path);
      break;
    default:
      await fs.write(path, damageBytes(bytes, damage, at, random));
  }
  return `${damage} at ${at} of ${bytes.length}: ${path}`;
}

type ByteDamage = Exclude<Damage, "renamed to a copy" | "copied to a copy" | "evicted" | "deleted">;

/** @param at position in the bytes, for damage that has one */
export function damageBytes(bytes: Uint8Array, damage: ByteDamage, at: number, random: Random): Uint8Array {
  switch (damage) {
    case "cut":
      return bytes.slice(0, at);
    case "zero tail":
      return concatBytes([bytes.subarray(0, at), new Uint8Array(bytes.length - at)]);
    case "garbage tail":
      return concatBytes([bytes.subarray(0, at), Uint8Array.from({ length: bytes.length - at }, () => random.integer(0, 255))]);
    case "hole":
      return concatBytes([bytes.subarray(0, at), new Uint8Array(Math.min(512, bytes.length - at)), bytes.subarray(at + 512)]);
    case "repeated tail":
      // after a torn line, the tail could complete it to another operation, and nothing in the format would show that
      return bytes.at(-1) === LF ? concatBytes([bytes, bytes.subarray(at)]) : bytes.slice();
    case "old version copied back":
      return bytes.slice(0, bytes.lastIndexOf(LF, at) + 1);
    case "concatenated lines": {
      const end = bytes.indexOf(LF, at);
      return end === -1 ? bytes.slice() : concatBytes([bytes.subarray(0, end), bytes.subarray(end + 1)]);
    }
    case "carriage returns":
      return bytes.includes(CR) ? bytes.slice() : joinLines(linesOf(bytes).flatMap((line) => withCarriageReturn(line)));
    case "repeated lines":
      return joinLines(linesOf(bytes).flatMap((line) => (random.chance(0.3) ? [line, line] : [line])));
    case "reordered lines":
      return joinLines(random.shuffle(linesOf(bytes)));
    case "merge markers": {
      const lines = linesOf(bytes);
      const [start, middle, end] = ["<<<<<<< HEAD\n", "=======\n", ">>>>>>> theirs\n"].map((text) =>
        new TextEncoder().encode(text),
      );
      const half = Math.floor(lines.length / 2);
      return joinLines([start!, ...lines.slice(0, half), middle!, ...lines.slice(half), end!]);
    }
  }
}

/** The result of `git merge` with the union driver: the lines of both versions, each once. */
export function uniteVersions(ours: Uint8Array, theirs: Uint8Array): Uint8Array {
  const decoder = new TextDecoder("latin1");
  const known = new Set(linesOf(ours).map((line) => decoder.decode(line)));
  return joinLines([...linesOf(ours), ...linesOf(theirs).filter((line) => !known.has(decoder.decode(line)))]);
}

/** A name that a sync service would give to a copy of the file. */
export function nameOfCopy(path: string, random: Random): string {
  const [folder, stem] = split(path);
  return `${folder}${random.pick(COPY_NAMES)[1].replace("B", () => stem)}`;
}

/** Path of the placeholder of a file that is not downloaded. */
export function placeholderOf(path: string): string {
  const end = path.lastIndexOf("/") + 1;
  return `${path.slice(0, end)}.${path.slice(end)}.icloud`;
}

function split(path: string): [folder: string, stem: string] {
  const end = path.lastIndexOf("/") + 1;
  return [path.slice(0, end), path.slice(end).replace(/\.jsonl$/, "")];
}

/** Lines with their newlines; the last line may have none. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Joins lines and adds missing newlines, as Git does. */
function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  return concatBytes(lines.flatMap((line) => (line.at(-1) === LF ? [line] : [line, Uint8Array.of(LF)])));
}

function withCarriageReturn(line: Uint8Array): Uint8Array[] {
  return line.at(-1) === LF ? [line.subarray(0, -1), Uint8Array.of(CR, LF)] : [line];
}
