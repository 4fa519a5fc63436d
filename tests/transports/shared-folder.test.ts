import { describe } from "vitest";
import { SharedFolder } from "./shared-folder.ts";
import { testTransport } from "./transport-suite.ts";

describe("a shared folder", () => {
  testTransport("shared folder", { keepsBothSecrets: true }, (site) => new SharedFolder(site));
});
