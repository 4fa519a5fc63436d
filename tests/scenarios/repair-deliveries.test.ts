import { describe, test } from "vitest";
import { checkDeliveries, OWN, type Action, type Files } from "./deliveries.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const [P, Q] = ["a".repeat(32), "b".repeat(32)] as const;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const line = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;

const SCENES: Readonly<Record<string, Files>> = {
  "copies, one of which has lines that cannot be read": new Map([
    [`${TREE}/2026/11/21/${P}.jsonl`, ROOT + line(3)],
    [`${TREE}/2026/11/21/${P} (conflicted copy).jsonl`, `${ROOT}${line(4)}garbage\n`],
    [`${TREE}/2026/11/22/${Q} (1).jsonl`, line(5)],
    [`${TREE}/2026/11/22/desktop.ini`, "x"],
  ]),
  "a file of one's own with a torn line, whose operation a copy and a relay file contain": new Map([
    [`${TREE}/2026/11/21/${OWN}.jsonl`, `${ROOT}${line(3).slice(0, 20)}\n${line(4).slice(0, 20)}\n`],
    [`${TREE}/2026/11/21/${OWN} 2.jsonl`, line(3) + line(6)],
    [`${TREE}/2026/11/22/${OWN}.${Q}.jsonl`, line(4)],
  ]),
};

const SEQUENCES: readonly (readonly Action[])[] = [
  ["repair"],
  ["undo"],
  ["repair", "undo"],
  ["undo", "repair"],
  ["undo", "undo"],
  ["repair", "repair"],
];

describe.each(Object.entries(SCENES))("with %s", (_scene, scene) => {
  const start: Files = new Map([["space-v1/space.json", JSON.stringify({ id: SPACE_ID })], ...scene]);

  describe.each([[["repair"]], [["repair", "undo"]], [["repair", "undo", "repair"]]] as [Action[]][])("A does %j", (doneByA) => {
    test.each(SEQUENCES.map((sequence) => [sequence] as const))(
      "and B, with a part of it, does %j",
      { timeout: 3_600_000 },
      (doneByB) => checkDeliveries(start, doneByA, doneByB),
    );
  });
});
