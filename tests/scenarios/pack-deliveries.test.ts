import { describe, test } from "vitest";
import { checkDeliveries, type Action, type Files } from "./deliveries.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const [P, Q] = ["a".repeat(32), "b".repeat(32)] as const;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const line = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;

/** A year that is over, a month of it, a relay file of a later year that repeats it, and a copy. */
const START: Files = new Map([
  ["space-v1/space.json", JSON.stringify({ id: SPACE_ID })],
  [`${TREE}/2025/03/02/${P}.jsonl`, ROOT + line(3)],
  [`${TREE}/2025/07/21/${P}.jsonl`, line(4)],
  [`${TREE}/2025/07/22/${P} (conflicted copy).jsonl`, line(3) + line(5)],
  [`${TREE}/2026/02/03/${P}.${Q}.jsonl`, line(3)],
]);

const DONE_BY_A: readonly (readonly Action[])[] = [
  ["pack"],
  ["pack and delete"],
  ["pack", "undo pack"],
  ["pack early", "pack"],
  ["repair", "pack"],
  ["repair", "pack", "undo"],
];
const DONE_BY_B: readonly (readonly Action[])[] = [
  ["pack"],
  ["pack and delete"],
  ["pack early"],
  ["undo pack"],
  ["pack", "undo pack"],
  ["undo pack", "pack"],
  ["repair", "pack"],
  ["pack", "undo"],
];

describe.each(DONE_BY_A.map((actions) => [actions] as const))("A does %j", (doneByA) => {
  test.each(DONE_BY_B.map((actions) => [actions] as const))(
    "and B, with a part of it, does %j",
    { timeout: 3_600_000 },
    (doneByB) => checkDeliveries(START, doneByA, doneByB),
  );
});
