import { describeWith } from "./programs.ts";
import { Syncthing } from "./syncthing.ts";
import { testTransport } from "./transport-suite.ts";

/** The shortest it can, so that tests need not wait. */
const GATHER_S = 1;

describeWith("syncthing", "Syncthing", () => {
  const traits = {
    copies: /^\{peer\}\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}\.jsonl$/,
    keepsBothSecrets: true,
    secretsCopies: /\/secrets\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}$/,
  };
  testTransport("Syncthing", traits, (site) => Syncthing.start(site, GATHER_S));
});
