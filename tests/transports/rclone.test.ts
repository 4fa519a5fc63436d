import { describeWith } from "./programs.ts";
import { RcloneBisync } from "./rclone.ts";
import { testTransport } from "./transport-suite.ts";

describeWith("rclone", "rclone bisync", () => {
  const traits = { copies: /^\{peer\}\.jsonl\.\.path[12]$/, keepsBothSecrets: true, secretsCopies: /\/secrets\.\.path[12]$/ };
  testTransport("rclone bisync", traits, (site) => new RcloneBisync(site));
});
