import { describe } from "vitest";
import { describeWith } from "./programs.ts";
import { Rsync } from "./rsync.ts";
import { testTransport } from "./transport-suite.ts";

describeWith("rsync", "rsync", () => {
  describe.each(["-au", "-a"] as const)("%s", (option) => {
    testTransport(`rsync ${option}`, { keepsBothSecrets: false }, (site) => new Rsync(site, option));
  });
});
