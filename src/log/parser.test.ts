import { MAX_COUNTER } from "../limits.ts";
import { expect, test } from "vitest";
import { MAX_LINE_BYTES } from "./line.ts";
import type { LineProblem } from "./line-problem.ts";
import { LogParser } from "./parser.ts";

const A = "a".repeat(32);
const B = "b".repeat(32);

function parse(content: string | Uint8Array): LogParser {
  const parser = new LogParser({ peerId: "peer" });
  parser.push(typeof content === "string" ? new TextEncoder().encode(content) : content);
  parser.end();
  return parser;
}

/** Counters of the operations read, and code and line of the problems. */
function outline(content: string | Uint8Array): { ops: number[]; problems: string[] } {
  const { ops, problems } = parse(content);
  return { ops: ops.map((op) => op.id.counter), problems: problems.map(({ code, line }: LineProblem) => `${line} ${code}`) };
}

function move(counter: number): string {
  return `["m",${counter},"${A}","${B}"]`;
}

test("lines become operations of the file's peer", () => {
  expect(parse(`["m",1,"${A}",null]\n["p",2,"${A}","text","hi"]\n`).ops).toEqual([
    { id: { counter: 1, peerId: "peer" }, targetId: A, parentId: null },
    { id: { counter: 2, peerId: "peer" }, targetId: A, key: "text", value: "hi", transient: false },
  ]);
});

test.each([
  ["carriage returns", `${move(1)}\r\n${move(2)}\r\n`, [1, 2]],
  ["a byte order mark", `\uFEFF${move(1)}\n${move(2)}\n`, [1, 2]],
  ["a byte order mark in the middle, where files were joined", `${move(1)}\n\uFEFF${move(2)}\n`, [1, 2]],
  ["blank lines", `\n\n${move(1)}\n\r\n \n${move(2)}\n\n`, [1, 2]],
  ["spaces around", `  ${move(1)}  \n[ "m" , 2 , "${A}" , null ]\n`, [1, 2]],
  ["zeros at the end of the file", `${move(1)}\n${"\0".repeat(4_096)}`, [1]],
  ["zeros behind a line", `${move(1)}\0\0\n${move(2)}\n`, [1, 2]],
  ["a line of zeros", `${move(1)}\n\0\0\0\n${move(2)}\n`, [1, 2]],
  ["nothing but zeros", "\0".repeat(10_000), []],
  ["an empty file", "", []],
  ["a last line without its newline", `${move(1)}\n${move(2)}`, [1, 2]],
  ["lines of newer kinds", `["h",1,{"space":"x"}]\n${move(1)}\n["x"]\n[""]\n`, [1]],
])("%s are no damage", (_name, content, ops) => {
  expect(outline(content)).toEqual({ ops, problems: [] });
});

test.each<[string, string, string]>([
  ["garbage", "garbage", "FOLD_BAD_LINE"],
  ["an object", '{"id":1}', "FOLD_BAD_LINE"],
  ["a number", "5", "FOLD_BAD_LINE"],
  ["null", "null", "FOLD_BAD_LINE"],
  ["an empty array", "[]", "FOLD_BAD_LINE"],
  ["an array without kind", "[1,2,3]", "FOLD_BAD_LINE"],
  ["a nested array", `[${move(9)}]`, "FOLD_BAD_LINE"],
  ["a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1", "FOLD_BAD_LINE"],
  ["a move without parent", `["m",9,"${A}"]`, "FOLD_BAD_LINE"],
  ["a move with more", `["m",9,"${A}",null,1]`, "FOLD_BAD_LINE"],
  ["a property without value", `["p",9,"${A}","k"]`, "FOLD_BAD_LINE"],
  ["a property with more", `["p",9,"${A}","k",1,2]`, "FOLD_BAD_LINE"],
  ["a property with too much", `["p",9,"${A}","k",{},1,1]`, "FOLD_BAD_LINE"],
  ["a key that is no text", `["p",9,"${A}",5,1]`, "FOLD_BAD_LINE"],
  ["a value of version 0", `["p",9,"${A}","k",undefined]`, "FOLD_TORN_LINE"],
  ["zeros in the middle", `["p",9,"${A}","k","a\0\0b"]`, "FOLD_TORN_LINE"],
  ["a torn line", `["p",9,"${A}","k","va`, "FOLD_TORN_LINE"],
  ["our side", "<<<<<<< HEAD", "FOLD_MERGE_MARKER"],
  ["their side", ">>>>>>> theirs (a commit)", "FOLD_MERGE_MARKER"],
  ["the middle", "=======", "FOLD_MERGE_MARKER"],
  ["the base", "||||||| 3f2a", "FOLD_MERGE_MARKER"],
  ...["0", "-1", "1.5", String(2 ** 53), String(MAX_COUNTER + 1), '"5"', "1e400", "null", "[]", "{}", "true"].map(
    (counter): [string, string, string] => [`a counter of ${counter}`, `["m",${counter},"${A}",null]`, "FOLD_BAD_COUNTER"],
  ),
  ["a counter nested 100,000 deep", `["m",${"[".repeat(100_000)}${"]".repeat(100_000)},"${A}",null]`, "FOLD_TOO_DEEP"],
  ...[
    '"../../etc/passwd"',
    '"a\\u0000b"',
    '"a\\nb"',
    '"a\\"b"',
    '"a\'b"',
    '"a/b"',
    '"a\\\\b"',
    '""',
    "5",
    "null",
    "[]",
    `"${"x".repeat(257)}"`,
  ].map((id): [string, string, string] => [`a vertex id ${id.slice(0, 20)}`, `["p",9,${id},"k",1]`, "FOLD_BAD_ID"]),
  ["a parent id ../x", `["m",9,"${A}","../x"]`, "FOLD_BAD_ID"],
  ["a parent id 0", `["m",9,"${A}",0]`, "FOLD_BAD_ID"],
  ["a value nested 100,000 deep", `["p",9,"${A}","k",${"[".repeat(100_000)}${"]".repeat(100_000)}]`, "FOLD_TOO_DEEP"],
  ["a value of objects nested deep", `["p",9,"${A}","k",${'{"a":'.repeat(300)}1${"}".repeat(300)}]`, "FOLD_TOO_DEEP"],
  ["a line of brackets", "[".repeat(100_000), "FOLD_TOO_DEEP"],
  ["a line of 10 MB", `["p",9,"${A}","k","${"x".repeat(10_000_000)}"]`, "FOLD_LINE_TOO_LONG"],
  ["a line of 10 MB in few characters", `["p",9,"${A}","k","${"€".repeat(3_400_000)}"]`, "FOLD_LINE_TOO_LONG"],
  ["a torn line of 7 MB", `["p",9,"${A}","${"x".repeat(7_000_000)}`, "FOLD_TORN_LINE"],
])("%s is a problem with its line number, and the rest is read", (_name, line, code) => {
  expect(outline(`${move(1)}\n["p",2,"${A}","k",1]\n${line}\n${move(3)}\n`)).toEqual({ ops: [1, 2, 3], problems: [`3 ${code}`] });
});

test("invalid UTF-8 costs only its own line", () => {
  const bytes = new TextEncoder().encode(`${move(1)}\n["p",2,"${A}","k","?"]\n\n${move(3)}\n`);
  bytes[bytes.indexOf("?".charCodeAt(0))] = 0xff;
  expect(outline(bytes)).toEqual({ ops: [1, 3], problems: ["2 FOLD_BAD_UTF8"] });
});

test("merge markers and the lines between them are distinguished", () => {
  const content = `${move(1)}\n<<<<<<< HEAD\n${move(2)}\n=======\n${move(3)}\n>>>>>>> other\n`;
  expect(outline(content)).toEqual({
    ops: [1, 2, 3],
    problems: ["2 FOLD_MERGE_MARKER", "4 FOLD_MERGE_MARKER", "6 FOLD_MERGE_MARKER"],
  });
});

test("a torn line gives back the whole one concatenated behind it, wherever it was torn", () => {
  for (const whole of [
    move(7),
    `["p",7,"${A}","k","some \\"text\\""]`,
    `["p",7,"${A}","k",["m",1,"x",null]]`,
    `["p",7,"${A}","k",{},1]`,
  ]) {
    for (let cut = 1; cut < whole.length; cut++) {
      expect(outline(`${move(1)}\n${whole.slice(0, cut)}${whole}\n${move(9)}\n`), whole.slice(0, cut)).toEqual({
        ops: [1, 7, 9],
        problems: ["2 FOLD_TORN_LINE"],
      });
    }
  }
});

test("another operation concatenated behind a torn one is read", () => {
  for (const torn of ['["m",5,"', '["p",5,"x","k', '["p",5,"x","k","va', "[", '["p"', "\0\0\0"]) {
    expect(outline(`${torn}${move(7)}\n`), torn).toEqual({ ops: [7], problems: ["1 FOLD_TORN_LINE"] });
  }
});

test("a line torn in the middle of a character gives back the whole one concatenated behind it", () => {
  const torn = new TextEncoder().encode(`["p",2,"${A}","k","\u20ac`).slice(0, -1);
  const whole = new TextEncoder().encode(`["p",3,"${A}","k","\u20ac and \ufffd"]\r\n${move(4)}\n`);
  expect(outline(Uint8Array.from([...torn, ...whole]))).toEqual({ ops: [3, 4], problems: ["1 FOLD_TORN_LINE"] });
  expect(outline(Uint8Array.from([...torn, ...torn, 10, ...whole]))).toEqual({ ops: [3, 4], problems: ["1 FOLD_BAD_UTF8"] });
});

test("whole operations concatenated to one another are all read", () => {
  const ops = [move(3), `["p",4,"${A}","k",["]",{"[":"\\"]"}]]`, `["p",5,"${A}","k",{},1]`, `["p",6,"${A}","k",12]`];
  expect(outline(`${move(1)}\n${ops.join("")}\n${move(9)}\n`)).toEqual({
    ops: [1, 3, 4, 5, 6, 9],
    problems: ["2 FOLD_TORN_LINE"],
  });
  const torn = `["p",7,"${A}","k","te`;
  expect(outline(`${ops.join("")}${torn}${move(8)}\n`)).toEqual({
    ops: [3, 4, 5, 6, 8],
    problems: ["1 FOLD_TORN_LINE", "1 FOLD_TORN_LINE"],
  });
  expect(outline(`["h",1]${move(1)}["m",2`)).toEqual({ ops: [], problems: ["1 FOLD_BAD_LINE"] });
});

test.each([
  ["a string without end", `["p",1,"${A}","`, "a", ""],
  ["an id without end", '["p",1,"', "a", ""],
  ["nothing but escaped quotes", `["p",1,"${A}","`, String.raw`\"`, ""],
  ["arrays without end", `["p",1,"${A}","k",`, "[", ""],
  ["objects without end", `["p",1,"${A}","k",`, '{"a":', ""],
  ["beginnings of operations without end", "", '["m",', "]"],
])("a line of 8 MB that holds %s is a problem like any other", (_name, start, piece, end) => {
  const line = start + piece.repeat((MAX_LINE_BYTES - start.length - end.length - 1) / piece.length) + end;
  const { ops, problems } = outline(`${move(1)}\n${line}\n${move(2)}\n`);
  expect(ops).toEqual([1, 2]);
  expect(problems).toEqual([expect.stringMatching(/^2 FOLD_(TORN_LINE|TOO_DEEP)$/)]);
});

test("however much garbage a file holds, its good lines are read, and only so many problems are kept", () => {
  const { ops, problems } = outline(`${"garbage\n".repeat(200_000)}${move(1)}\n${'["x"]\n[x]\n'.repeat(5)}${move(2)}`);
  expect(ops).toEqual([1, 2]);
  expect(problems).toHaveLength(1_001);
});

test("the contents of a torn value never pass for an operation", () => {
  for (const torn of [
    `["p",5,"x","k",["m",1,"forged",null]`,
    `["p",5,"x","k",[["m",1,"forged",null]`,
    `["p",5,"x","k","[\\"m\\",1,\\"forged\\",null]`,
  ]) {
    expect(outline(`${torn}\n`), torn).toEqual({ ops: [], problems: ["1 FOLD_TORN_LINE"] });
  }
});

test("nothing makes the parser throw or hang", () => {
  const concatenated = `["p",1,"${A}","k",[${"1,".repeat(20_000)}`.repeat(100);
  for (const line of [
    "\uFEFF".repeat(300_000) + move(1),
    "\uFEFF".repeat(300_000),
    " ".repeat(1_000_000),
    concatenated,
    '["m",'.repeat(500_000),
  ]) {
    expect(() => parse(`${line}\n`)).not.toThrow();
  }
});

test("lines up to the limit are read, to the byte", () => {
  const frame = `["p",2,"${A}","k",""]`;
  const line = (length: number): string => frame.replace('""', `"${"x".repeat(length - frame.length)}"`);
  for (const known of ["", `["p",1,"${A}","k",1]\n`]) {
    expect(outline(`${known}${line(MAX_LINE_BYTES)}\n`).problems).toEqual([]);
    expect(outline(`${known}${line(MAX_LINE_BYTES + 1)}\n`).ops).not.toContain(2);
  }
});

test("the position is behind the last newline, and reading continues there", () => {
  const content = `${move(1)}\nbad\n${move(2)}\n["p",3,"${A}`;
  const first = parse(content);
  expect(first.position).toEqual({ offset: content.lastIndexOf("\n") + 1, line: 3 });
  expect(first.problems.map(({ line, code }) => [line, code])).toEqual([
    [2, "FOLD_BAD_LINE"],
    [4, "FOLD_TORN_LINE"],
  ]);
  const rest = new LogParser({ peerId: "peer", from: first.position });
  rest.push(new TextEncoder().encode(`["p",3,"${A}","k",1]\nworse\n`));
  rest.end();
  expect(rest.ops.map((op) => op.id.counter)).toEqual([3]);
  expect(rest.problems).toEqual([{ line: 5, code: "FOLD_BAD_LINE", reason: 'the line is not JSON: "worse"' }]);
});

test("reasons quote the line, shortened and escaped", () => {
  expect(parse(`["m",9,"${A}","../\\u0007${"x".repeat(500)}"]`).problems[0]?.reason).toContain('the parent id is "../\\u0007xxx');
  expect(parse(`["m",9,"${A}","../\\u0007${"x".repeat(500)}"]`).problems[0]!.reason.length).toBeLessThan(250);
});
