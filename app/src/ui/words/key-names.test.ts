import { expect, test } from "vitest";
import { keyNames } from "./key-names.ts";

test.each([
  ["Ctrl Shift Enter", "⌘ ⇧ Enter"],
  ["Alt ↑ ↓ ← →", "⌥ ↑ ↓"],
  ["Ctrl Z, Ctrl Shift Z", "⌘ Z, ⌘ ⇧ Z"],
  ["Escape", "Escape"],
])("%s is called %s on a Mac", (keys, onMac) => {
  expect(keyNames(keys, true)).toBe(onMac);
  expect(keyNames(keys, false)).toBe(keys);
});
