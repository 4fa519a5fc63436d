import type { Problem } from "../../errors.ts";
import type { Repair } from "./repair.ts";
import type { RepairStep } from "./plan.ts";

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Describes a repair for people who find its folder. */
export function describeRepair({ steps, left, operations }: Repair, now: Date): string {
  return [
    `Repaired on ${now.toISOString()}. ${operations} operations can be read, all that could be read before.`,
    "The files that were moved out of the space are kept beside this file. No program reads them any more.",
    "",
    ...steps.map((step) => describeStep(step)),
    ...(left.length === 0 ? [] : ["", "Problems that could not be repaired:", "", ...left.map(describeLeft)]),
    "",
  ].join("\n");
}

/** Describes a step in one sentence. @param isPlanned whether it has not been done */
export function describeStep(step: RepairStep, isPlanned = false): string {
  const was = (done: string): string => (isPlanned ? `would be ${done}` : done);
  switch (step.kind) {
    case "relay":
      return `${step.file}: ${was("written")}, with ${count(step.operations, "operation")} that only copies contained`;
    case "space-file": {
      const kept = step.to === undefined ? "" : `; the damaged file ${isPlanned ? "would be" : "is"} kept in ${step.to}`;
      return `${step.file}: ${was("written")} for the space ${step.spaceId}, to which the operations in the folder belong${kept}`;
    }
    case "move":
      return `${step.file}: ${was("moved")} to ${step.to}, as ${step.reason}`;
    case "complete":
      return `${step.file}: ${was("rewritten")}, with ${count(step.completed, "torn line")} completed and ${count(step.removed, "unreadable one")} removed; the original ${isPlanned ? "would be" : "is"} kept in ${step.to}`;
  }
}

function describeLeft({ file, line, reason, code }: Problem): string {
  return `${file ?? ""}${line === undefined ? "" : `:${line}`}: ${reason} [${code}]`;
}
