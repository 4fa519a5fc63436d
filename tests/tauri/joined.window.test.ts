import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Rsync } from "../transports/rsync.ts";
import { SharedFolder } from "../transports/shared-folder.ts";
import { Syncthing } from "../transports/syncthing.ts";
import type { Site, Transport } from "../transports/transport.ts";
import { DesktopApp, makeFolder } from "./desktop-app.ts";

const CARRIED_MS = 30_000;

const transports: [string, (site: Site) => Transport | Promise<Transport>][] = [
  ["shared", (site) => new SharedFolder(site)],
  ["rsync", (site) => new Rsync(site, "-au")],
  ["syncthing", (site) => Syncthing.start(site, 1)],
];

test.each(transports)("what is typed in one window shows in the other, by %s", async (name, connect) => {
  const root = makeFolder();
  const site = { root, one: join(root, "one"), two: join(root, "two") };
  mkdirSync(site.one);
  const one = await DesktopApp.start({ home: makeFolder(), profile: "one", folder: site.one, isAlone: true });
  await one.untilSaved();
  const transport = await connect(site);
  onTestFinished(() => transport.end());
  await transport.join();
  // in a folder that holds nothing yet, a space of its own would be made
  await expect.poll(() => existsSync(join(transport.folders[1], "space-v1/space.json")), { timeout: CARRIED_MS }).toBe(true);
  const two = await DesktopApp.start({ home: makeFolder(), profile: "two", folder: transport.folders[1], isAlone: true });

  await one.typeItem("typed in the first window");
  await two.untilShown("typed in the first window");
  await two.typeItem("typed in the second window");
  await one.untilShown("typed in the second window");
  await Promise.all([one.typeItem("typed in the first at once"), two.typeItem("typed in the second at once")]);
  for (const app of [one, two]) for (const which of ["first", "second"]) await app.untilShown(`typed in the ${which} at once`);
  expect(await two.items()).toEqual(await one.items());
  for (const app of [one, two]) await app.untilSaved();
  expect(transport.failure).toBeUndefined();
  await one.photograph(`${name}-one`);
  await two.photograph(`${name}-two`);
});
