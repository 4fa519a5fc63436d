// Starts the server, and opens a space on it as two devices.
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SpaceManager, type Space } from "foldspace";
import { HttpPersistenceLayer } from "./http-layer.ts";
import { makeServer } from "./server.ts";

mkdirSync("data", { recursive: true });
const server = makeServer("data");
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const open = async (): Promise<Space> =>
  await new SpaceManager().openOrCreate({ id: "notes", persistenceLayers: [new HttpPersistenceLayer(address, "notes")] });
const [laptop, phone] = [await open(), await open()];

const arrived = new Promise<void>((resolve) => {
  phone.tree.observe("note", () => {
    console.log(`The phone has: ${String(phone.tree.getVertex("note")?.getProperty("text"))}`);
    resolve();
  });
});
laptop.tree.getOrCreate("note", laptop.tree.root!).setProperty("text", `written at ${new Date().toISOString()}`);
await arrived;

await laptop.close();
await phone.close();
server.close();
