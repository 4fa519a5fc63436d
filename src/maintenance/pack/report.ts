import type { Problem } from "../../errors.ts";
import type { Pack } from "./pack.ts";
import type { PackStep } from "./plan.ts";

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Describes a packing for people who find its folder. */
export function describePack({ steps, left, files, folders }: Pack, now: Date): string {
  return [
    `Packed on ${now.toISOString()}. ${count(files.before, "file")} in ${count(folders.before, "folder")} became ${files.after} in ${folders.after}.`,
    "The files that were joined are kept beside this file. No program reads them any more. You may delete this folder.",
    "",
    ...steps.map((step) => describePackStep(step)),
    ...(left.length === 0 ? [] : ["", "Files that were not packed:", "", ...left.map(describeLeft)]),
    "",
  ].join("\n");
}

/** Describes a step in one sentence. @param isPlanned whether it has not been done */
export function describePackStep(step: PackStep, isPlanned = false): string {
  const was = isPlanned ? "would be " : "";
  if (step.kind === "fold") return `${step.file}: ${was}taken away, as packed files of earlier years contain all its operations`;
  const [joins, has] = isPlanned ? ["would join", "have"] : ["joins", "has"];
  return `${step.file}: ${joins} ${count(step.joined.length, "file")}, and ${has} ${count(step.operations, "operation")}`;
}

function describeLeft({ file, line, reason, code }: Problem): string {
  return `${file ?? ""}${line === undefined ? "" : `:${line}`}: ${reason} [${code}]`;
}
