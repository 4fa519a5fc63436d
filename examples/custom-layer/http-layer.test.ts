import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "foldspace";
import { testPersistenceLayer } from "foldspace/testing";
import { HttpPersistenceLayer } from "./http-layer.ts";
import { makeServer } from "./server.ts";

testPersistenceLayer("HttpPersistenceLayer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "http-layer-"));
  const server = makeServer(folder);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const spaceId = newId();
  return {
    spaceId,
    isAlwaysThere: true,
    createLayer: (id = spaceId) => new HttpPersistenceLayer(address, id, { flushIntervalMs: 10, pollMs: 10 }),
    teardown: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
});
