import type { Problem } from "../../errors.ts";
import type { Repair } from "./repair.ts";
import type { RepairStep } from "./plan.ts";

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** What was done, for people who come upon the folder. */
export function describeRepair({ steps, left, operations }: Repair, now: Date): string {
  return [
    `Repaired on ${now.toISOString()}. ${operations} operations can be read, all that could be read before.`,
    "What was taken out of the space is kept beside this file. Nothing reads it any more.",
    "",
    ...steps.map(describeStep),
    ...(left.length === 0 ? [] : ["", "What could not be repaired:", "", ...left.map(describeLeft)]),
    "",
  ].join("\n");
}

/** A step in one sentence. */
export function describeStep(step: RepairStep): string {
  switch (step.kind) {
    case "relay":
      return `${step.file}: written, with ${count(step.operations, "operation")} that stood in copies only`;
    case "move":
      return `${step.file}: moved to ${step.to}, as ${step.reason}`;
    case "complete":
      return `${step.file}: written again, with ${count(step.completed, "torn line")} made whole and ${count(step.removed, "unreadable one")} taken out; as it was, it is kept in ${step.to}`;
  }
}

function describeLeft({ file, line, reason, code }: Problem): string {
  return `${file ?? ""}${line === undefined ? "" : `:${line}`}: ${reason} [${code}]`;
}
