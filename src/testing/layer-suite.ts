import { describe, test } from "vitest";
import { lifecycleTests } from "./layer-lifecycle-tests.ts";
import { listeningTests } from "./layer-listening-tests.ts";
import { savingTests } from "./layer-saving-tests.ts";
import { secretsTests } from "./layer-secrets-tests.ts";
import { LayerBench, type LayerSetup } from "./layer-bench.ts";

/** Declares a test that gets a storage of its own. */
export type LayerTest = (title: string, body: (bench: LayerBench) => Promise<void>) => void;

const TIMEOUT_MS = 60_000;

/**
 * Tests whether a layer does what {@link PersistenceLayer} promises. Layers that do not support incoming sync
 * are not tested for it, nor those without secrets for these. Give the layers a short flush interval: the suite waits for it often.
 * @example
 * testPersistenceLayer("MemoryPersistenceLayer", () => {
 *   const spaceId = newId();
 *   const store = new MemoryStore();
 *   return { spaceId, createLayer: (id = spaceId) => new MemoryPersistenceLayer(id, { store, flushIntervalMs: 20 }) };
 * });
 */
export function testPersistenceLayer(name: string, setup: () => Promise<LayerSetup> | LayerSetup): void {
  const declare: LayerTest = (title, body) => {
    test(title, { timeout: TIMEOUT_MS }, async () => {
      const bench = new LayerBench(await setup());
      try {
        await body(bench);
      } finally {
        await bench.tearDown();
      }
    });
  };
  describe(name, () => {
    describe("lifecycle", () => lifecycleTests(declare));
    describe("saving and loading", () => savingTests(declare));
    describe("listening", () => listeningTests(declare));
    describe("secrets", () => secretsTests(declare));
  });
}
