import { expect, test } from "vitest";
import { encodeSpaceFile, GIT_ATTRIBUTES, README_FILE, README_FILES, parseSpaceFile } from "./space-files.ts";
import { classifyLogFile } from "./paths.ts";

test("space.json keeps the members that we do not know", () => {
  const file = parseSpaceFile('\uFEFF {"id":"space-1","newer":{"a":[1]}}\r\n');
  expect(file).toEqual({ id: "space-1", newer: { a: [1] } });
  expect(parseSpaceFile(encodeSpaceFile(file))).toEqual(file);
  expect(encodeSpaceFile({ id: "abc" })).toBe('{"id":"abc"}');
});

test.each([
  ["nothing", "", "the file is empty"],
  ["blanks", " \n", "the file is empty"],
  ["zeros", "\0\0\0", "the file is not JSON"],
  ["half of it", '{"id":"spa', "the file is not JSON"],
  ["an array", '["space-1"]', "the file holds no JSON object"],
  ["null", "null", "the file holds no JSON object"],
  ["a text", '"space-1"', "the file holds no JSON object"],
  ["no id", '{"name":"x"}', 'the member "id" is missing'],
  ["an id that is a number", '{"id":5}', "5 cannot be a space's id"],
  ["an id that is null", '{"id":null}', "null cannot be a space's id"],
  ["an empty id", '{"id":""}', '"" cannot be a space\'s id'],
  ["an id that leads elsewhere", '{"id":"../../etc"}', '"../../etc" cannot be a space\'s id'],
])("space.json with %s is refused, naming the file", (_name, text, reason) => {
  expect(() => parseSpaceFile(text, "/home/ann/space-v1/space.json")).toThrow(
    expect.objectContaining({
      code: "FOLD_BAD_SPACE_FILE",
      message: `/home/ann/space-v1/space.json: ${reason}`,
      data: { file: "/home/ann/space-v1/space.json", line: 1 },
    }),
  );
});

test("the marker that is written is one of those that are known", () => {
  expect(README_FILES).toContain(README_FILE);
});

test("Git joins logs and nothing else", () => {
  expect(GIT_ATTRIBUTES).toContain("*.jsonl -text merge=union\n");
  expect(GIT_ATTRIBUTES).not.toMatch(/^(secrets|space).*union/m);
  expect(classifyLogFile("ab/.gitattributes").kind).toBe("ignored");
});
