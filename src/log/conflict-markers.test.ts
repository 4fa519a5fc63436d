import { expect, test } from "vitest";
import { conflictMarkerAt } from "../conflict-markers.ts";
import { LogParser } from "./parser.ts";

const op = (counter: number): string => `["p",${counter},"${"a".repeat(32)}","name","=======\\n<<<<<<< x"]`;

function read(content: string): { counters: number[]; problems: string[]; reasons: string } {
  const parser = new LogParser({ peerId: "peer" });
  parser.push(new TextEncoder().encode(content));
  parser.end();
  return {
    counters: [...new Set(parser.ops.map(({ id }) => id.counter))].sort((a, b) => a - b),
    problems: [...new Set(parser.problems.map(({ code }) => code))],
    reasons: parser.problems.map(({ reason }) => reason).join("\n"),
  };
}

/** Conflicts as each program leaves them in a log, if one side appended operation 3 and the other one operation 4. */
const CONFLICTS: readonly (readonly [program: string, tool: string, content: string])[] = [
  ["Git", "Git", `${op(1)}\n${op(2)}\n<<<<<<< HEAD\n${op(3)}\n=======\n${op(4)}\n>>>>>>> 3f2a91c (theirs)\n`],
  [
    "Git with the base",
    "Git",
    `${op(1)}\n<<<<<<< HEAD\n${op(2)}\n${op(3)}\n||||||| 7cd21f4\n${op(2)}\n=======\n${op(4)}\n>>>>>>> x\n`,
  ],
  [
    "Git with long markers",
    "Git",
    `${op(1)}\n${op(2)}\n<<<<<<<<<<<<<<< HEAD\n${op(3)}\n===============\n${op(4)}\n>>>>>>>>>>>>>>> x\n`,
  ],
  ["Mercurial", "Mercurial", `${op(1)}\n${op(2)}\n<<<<<<< working copy\n${op(4)}=======\n${op(3)}>>>>>>> merge rev\n`],
  [
    "Mercurial with the base",
    "Mercurial",
    `${op(1)}\n<<<<<<< working copy\n${op(2)}\n${op(4)}||||||| common ancestor\n${op(2)}=======\n${op(2)}\n${op(3)}>>>>>>> merge rev\n`,
  ],
  [
    "Mercurial with a list of changes",
    "Mercurial",
    `${op(1)}\n<<<<<<<\n------- common ancestor\n+++++++ working copy\n-${op(2)}+${op(2)}\n+${op(4)}======= merge rev\n${op(2)}\n${op(3)}>>>>>>>\n`,
  ],
  [
    "Fossil",
    "Fossil",
    `${op(1)}\n${op(2)}\n<<<<<<< BEGIN MERGE CONFLICT: local copy shown first <<<<<<<<<<<< (line 3)\n${op(4)}\n||||||| COMMON ANCESTOR content follows ||||||||||||||||||||||||| (line 3)\n======= MERGED IN content follows =============================== (line 3)\n${op(3)}\n>>>>>>> END MERGE CONFLICT >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>\n`,
  ],
  [
    "Subversion",
    "Subversion",
    `${op(1)}\n<<<<<<< .mine\n${op(2)}\n${op(4)}||||||| .r1\n${op(2)}=======\n${op(2)}\n${op(3)}>>>>>>> .r2\n`,
  ],
  [
    "jj",
    "jj",
    `${op(1)}\n${op(2)}\n<<<<<<< conflict 1 of 1\n%%%%%%% diff from: qpvuntsm 230dd059 "base"\n\\\\\\\\\\\\\\        to: zxmrtqlo 1f1dc2e2 "mine"\n ${op(2)}\n+${op(3)}\n+++++++ rlvkpnrz 9a45c67d "theirs"\n${op(2)}\n${op(4)}\n>>>>>>> conflict 1 of 1 ends\n`,
  ],
  [
    "jj with snapshots",
    "jj",
    `${op(1)}\n<<<<<<< conflict 1 of 1\n+++++++ mine\n${op(2)}\n${op(3)}\n------- base\n${op(2)}\n+++++++ theirs\n${op(2)}\n${op(4)}\n>>>>>>> conflict 1 of 1 ends\n`,
  ],
];

test.each(CONFLICTS)("all operations in a conflict of %s are read, and nothing counts as lost", (_program, tool, content) => {
  for (const text of [content, content.replaceAll("\n", "\r\n")]) {
    const { counters, problems, reasons } = read(text);
    expect(counters).toEqual([1, 2, 3, 4]);
    expect(problems).toEqual(["FOLD_MERGE_MARKER"]);
    expect(reasons).toContain(tool);
    if (tool !== "Git") expect(reasons).not.toContain("Git");
  }
});

test.each(["=======", "======= merge rev", ">>>>>>> .r12", "||||||| common ancestor", "garbage", "]", ',"x"]', "\u00e9", "\0x"])(
  "a whole operation is read although %j follows it",
  (rest) => {
    expect(read(`${op(1)}\n${op(2)}${rest}\n${op(3)}\n`).counters).toEqual([1, 2, 3]);
    expect(read(`${op(1)}\n${op(2)}${rest}`).counters).toEqual([1, 2]);
  },
);

test("a whole operation is read although bytes that are not text follow it", () => {
  const parser = new LogParser({ peerId: "peer" });
  parser.push(new Uint8Array([...new TextEncoder().encode(op(7)), 0xff, 0xfe, 0x0a]));
  expect(parser.ops.map(({ id }) => id.counter)).toEqual([7]);
  expect(parser.problems).toMatchObject([{ code: "FOLD_BAD_UTF8" }]);
});

test.each(["======", "=======x", "-------8", "a=======", "--- a/file", "+++ b/file", "<<<<<<>"])("%j is not a marker", (line) => {
  expect(conflictMarkerAt(line)).toBeUndefined();
});
