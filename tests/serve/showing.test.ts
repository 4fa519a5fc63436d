import { afterEach, expect, test } from "vitest";
import type { ServeOptions } from "../../src/serve/server.ts";
import { connect, serve, type Serving } from "./serving.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serving(options: Partial<ServeOptions> = {}): Promise<Serving> {
  const started = await serve(options);
  stops.push(() => started.stop());
  return started;
}

function client(to: Pick<Serving, "origin" | "token">): ReturnType<typeof connect> {
  const fs = connect(to);
  stops.unshift(() => fs.close());
  return fs;
}

test("the folder is shown to a client that knows the token, once at a time", async () => {
  let shown = 0;
  let finish = (): void => undefined;
  const started = await serving({
    showFolder: () => {
      shown++;
      return new Promise((resolve) => (finish = resolve));
    },
  });
  const [fs, other] = [client(started), client(started)];
  expect(await fs.served()).toMatchObject({ canShowFolder: true });
  const asked = [fs.showFolder(), fs.showFolder(), other.showFolder()];
  // what is asked for later is answered: all of them have arrived
  for (const each of [fs, other]) await each.stat("");
  expect(shown).toBe(1);
  finish();
  await Promise.all(asked);
  expect(shown).toBe(1);
  const again = fs.showFolder();
  await expect.poll(() => shown).toBe(2);
  finish();
  await again;
});

test("a client that does not know the token shows nothing", async () => {
  let shown = 0;
  const { origin } = await serving({ showFolder: async () => void shown++ });
  const stranger = client({ origin, token: "x".repeat(43) });
  await expect(stranger.showFolder()).rejects.toMatchObject({ code: "FOLD_UNTRUSTED_SERVER" });
  expect(shown).toBe(0);
});

test("a server that shows no folders says so", async () => {
  const fs = client(await serving());
  expect(await fs.served()).not.toHaveProperty("canShowFolder");
  await expect(fs.showFolder()).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
});

test("the first client alone is told that the space is new", async () => {
  const started = await serving({ isNew: true });
  expect(await client(started).served()).toMatchObject({ isNew: true });
  expect(await client(started).served()).not.toHaveProperty("isNew");
});
