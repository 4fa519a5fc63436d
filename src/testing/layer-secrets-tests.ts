import { expect } from "vitest";
import type { PersistenceLayer, SecretsUpdate, StoredSecrets } from "../layers/persistence-layer.ts";
import type { SecretChange } from "../secrets/secret-map.ts";
import { newId } from "../tree/index.ts";
import { until } from "./layer-bench.ts";
import type { LayerTest } from "./layer-suite.ts";

const NAMES = ["plain", "", "__proto__", "constructor", "\u2028 \ud83d\udd11 \0", '"]\n'];

export function secretsTests(declare: LayerTest): void {
  const test: LayerTest = (title, body) =>
    declare(title, async (bench) => {
      const layer = bench.layer();
      if (!layer.loadSecrets || !layer.saveSecrets) bench.skip("it keeps no secrets (it lacks loadSecrets or saveSecrets)");
      await body(bench);
    });

  test("saved secrets are loaded, under any name, by this layer and by others", async (bench) => {
    const layer = await bench.connected();
    await save(layer, { changes: setting(Object.fromEntries(NAMES.map((name) => [name, `value of ${name}`]))) });
    const other = await bench.connected();
    for (const each of [layer, other])
      expect([...(await load(each)).values].sort()).toEqual(NAMES.map((name) => [name, `value of ${name}`]).sort());
  });

  test("changes apply to the current secrets", async (bench) => {
    const [one, two] = [await bench.connected(), await bench.connected()];
    await save(one, { changes: setting({ a: "1", b: "1", c: "1" }) });
    await Promise.all([save(one, { changes: setting({ one: "1" }) }), save(two, { changes: setting({ two: "2" }) })]);
    await save(two, { changes: new Map([["a", { from: "1", to: "2" }]]) });
    await save(one, { changes: new Map([["b", { from: "1", to: undefined }]]) });
    for (const layer of [one, two, await bench.connected()])
      expect(Object.fromEntries((await load(layer)).values)).toEqual({ a: "2", c: "1", one: "1", two: "2" });
  });

  test("a secret whose value has changed meanwhile is not deleted", async (bench) => {
    const [one, two] = [await bench.connected(), await bench.connected()];
    await save(one, { changes: setting({ a: "1" }) });
    await save(two, { changes: new Map([["a", { from: "1", to: "2" }]]) });
    await save(one, { changes: new Map([["a", { from: "1", to: undefined }]]) });
    expect((await load(two)).values).toEqual(new Map([["a", "2"]]));
  });

  test("every peer has a sealed file, which can be replaced, and is removed when it is retired", async (bench) => {
    const [one, two] = [await bench.connected(), await bench.connected()];
    const [a, b] = [newId(), newId()];
    await save(one, { sealed: { peerId: a, text: "first" } });
    await save(two, { sealed: { peerId: b, text: "other" } });
    await save(one, { sealed: { peerId: a, text: "second" } });
    for (const layer of [one, two]) expect(await sealedIn(layer)).toEqual({ [a]: "second", [b]: "other" });
    await save(one, { retired: [b, newId()] });
    for (const layer of [one, two]) expect(await sealedIn(layer)).toEqual({ [a]: "second" });
  });

  test("a layer that stores `base` keeps it until a save replaces it", async (bench) => {
    const layer = await bench.connected();
    await save(layer, { changes: setting({ a: "1" }), base: new Map([["a", "0"]]) });
    const { base } = await load(layer);
    if (!base) return bench.skip("it does not store `base`");
    expect(base).toEqual(new Map([["a", "0"]]));
    await save(layer, { changes: setting({ b: "1" }) });
    expect((await load(layer)).base).toEqual(new Map([["a", "0"]]));
  });

  test("layers that listen are notified when others save", async (bench) => {
    const [reader, writer] = [await bench.connected(), await bench.connected()];
    if (!reader.observeSecrets || !reader.startListening) return bench.skip("it does not notice changes of secrets");
    await load(reader);
    let notifications = 0;
    const end = reader.observeSecrets(() => notifications++);
    await reader.startListening(() => undefined);
    notifications = 0;
    await save(writer, { changes: setting({ a: "1" }) });
    await until("it is notified", () => notifications > 0);
    expect((await load(reader)).values).toEqual(new Map([["a", "1"]]));
    notifications = 0;
    await save(writer, { sealed: { peerId: newId(), text: "sealed" } });
    await until("it is notified", () => notifications > 0);
    end();
  });

  test("a layer that is not connected refuses", async (bench) => {
    const layer = bench.layer();
    const closed: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_CLOSED" });
    await expect(layer.loadSecrets!()).rejects.toEqual(closed);
    await expect(layer.saveSecrets!({ changes: new Map() })).rejects.toEqual(closed);
  });
}

async function load(layer: PersistenceLayer): Promise<StoredSecrets> {
  return (await layer.loadSecrets!())!;
}

async function save(layer: PersistenceLayer, update: Partial<SecretsUpdate>): Promise<void> {
  await layer.saveSecrets!({ changes: new Map(), ...update });
}

async function sealedIn(layer: PersistenceLayer): Promise<Record<string, unknown>> {
  return Object.fromEntries((await load(layer)).sealed.map(({ peerId, content }) => [peerId, content]));
}

function setting(secrets: Record<string, string>): Map<string, SecretChange> {
  return new Map(Object.entries(secrets).map(([name, to]) => [name, { from: undefined, to }]));
}
