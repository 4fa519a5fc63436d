import { expect, test } from "vitest";
import { describePlatform } from "./platform-name.ts";

const LIKE = "AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${LIKE} Chrome/143.0.0.0 Safari/537.36`, "Chrome on Linux"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${LIKE} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0`, "Edge on Windows"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Mac"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1",
    "Safari on iPhone",
  ],
  [`Mozilla/5.0 (Linux; Android 10; K) ${LIKE} Chrome/143.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
  ["something else", "A browser"],
])("%s is %s", (userAgent, name) => {
  expect(describePlatform(userAgent, false)).toBe(name);
});

test("the desktop app goes by its own name", () => {
  expect(describePlatform("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko)", true)).toBe(
    "foldspace on Linux",
  );
});
