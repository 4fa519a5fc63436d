import { describe } from "vitest";
import { describeWith } from "./programs.ts";
import { testTransport } from "./transport-suite.ts";
import { Unison } from "./unison.ts";

describeWith("unison", "Unison", () => {
  describe("that keeps both", () => {
    const traits = {
      copies: /^\{peer\} \(conflict_on_\d{4}-\d\d-\d\d\)\.jsonl$/,
      keepsBothSecrets: true,
      secretsCopies: /\/secrets \(conflict_on_\d{4}-\d\d-\d\d\)$/,
    };
    testTransport("Unison -copyonconflict", traits, (site) => new Unison(site, true));
  });

  describe("that takes the newer one", () => {
    testTransport("Unison -prefer newer", { keepsBothSecrets: false }, (site) => new Unison(site, false));
  });
});
