import { describe, test } from "vitest";
import { lifecycleTests } from "./layer-lifecycle-tests.ts";
import { listeningTests } from "./layer-listening-tests.ts";
import { savingTests } from "./layer-saving-tests.ts";
import { secretsTests } from "./layer-secrets-tests.ts";
import { LayerBench, type LayerSetup } from "./layer-bench.ts";

/** Declares a test that gets storage of its own. */
export type LayerTest = (title: string, body: (bench: LayerBench) => Promise<void>) => void;

const TIMEOUT_MS = 60_000;

/**
 * Tests whether a layer does what `PersistenceLayer` promises. Tests that do not apply to a layer, such as those of methods
 * that it lacks, are skipped with the reason. Give the layers a short flush interval, because the suite often waits for it.
 * @example
 * testPersistenceLayer("MemoryPersistenceLayer", () => {
 *   const spaceId = newId();
 *   const store = new MemoryStore();
 *   return { spaceId, createLayer: (id = spaceId) => new MemoryPersistenceLayer(id, { store, flushIntervalMs: 20 }) };
 * });
 */
export function testPersistenceLayer(name: string, setup: () => Promise<LayerSetup> | LayerSetup): void {
  const declare: LayerTest = (title, body) => {
    test(title, { timeout: TIMEOUT_MS }, async ({ skip }) => {
      const bench = new LayerBench(await setup(), skip);
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
