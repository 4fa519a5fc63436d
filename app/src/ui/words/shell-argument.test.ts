import { expect, test } from "vitest";
import { shellArgument } from "./shell-argument.ts";

test("a path is quoted if a shell would take it apart", () => {
  expect(shellArgument("/home/ann/Notes")).toBe("/home/ann/Notes");
  expect(shellArgument("/home/ann/My $Notes")).toBe("'/home/ann/My $Notes'");
  expect(shellArgument("/home/Ann's")).toBe(String.raw`'/home/Ann'\''s'`);
});
