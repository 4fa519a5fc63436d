import { expect, test } from "vitest";
import { servePage } from "./serve.ts";
import { findWebKit, WebKitWindow } from "./webkit-driver.ts";

const webKit = findWebKit();
const missing = typeof webKit === "string" ? `: LEFT OUT, ${webKit}` : "";

test.skipIf(missing !== "" && process.env["CI"] !== "true")(
  `the IndexedDB layer works in WebKitGTK${missing}`,
  { timeout: 120_000 },
  async () => {
    if (typeof webKit === "string") throw new Error(webKit);
    const server = await servePage("./webkit-page.ts");
    const window = await WebKitWindow.open({ ...webKit, binary: webKit.browser, args: ["--automation"] });
    try {
      await window.goTo(server.url);
      const outcomes = await window.awaitGlobal<Record<string, string>>("outcomes", 100_000);
      expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((name) => [name, "ok"])));
      expect(Object.keys(outcomes)).toHaveLength(6);
    } finally {
      await window.close();
      await server.close();
    }
  },
);
