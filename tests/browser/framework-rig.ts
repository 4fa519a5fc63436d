import { expect } from "vitest";
import { userEvent } from "vitest/browser";
import { MemoryPersistenceLayer, MemoryStore } from "../../src/layers/memory-layer.ts";
import type { LiveSpaceOptions } from "../../src/live/index.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";

/** A space for the components of a framework, which another device has, too. */
export interface FrameworkRig {
  readonly manager: SpaceManager;
  readonly options: LiveSpaceOptions;
  /** How often the components' space has been opened. */
  readonly openings: () => number;
  /** Opens the space as the other device. */
  readonly other: () => Promise<Space>;
}

export function frameworkRig(): FrameworkRig {
  const [id, store] = [newId(), new MemoryStore()];
  let openings = 0;
  const layer = (): MemoryPersistenceLayer => new MemoryPersistenceLayer(id, { store, flushIntervalMs: 1, steadyIntervalMs: 1 });
  const layers = (): MemoryPersistenceLayer[] => {
    openings++;
    return [layer()];
  };
  return {
    manager: new SpaceManager(),
    options: { id, name: "Home", layers },
    openings: () => openings,
    other: async () => await new SpaceManager().openOrCreate({ id, persistenceLayers: [layer()] }),
  };
}

/**
 * Types into the middle of a text field while the other device writes, and checks that the field keeps each character and its caret.
 * @param place shows the children of the root as `li`, each with an `input` for its property `text`
 */
export async function typeWhileAnotherDeviceWrites(place: HTMLElement, space: Space, other: () => Promise<Space>): Promise<void> {
  const item = space.tree.root!.newNamedChild("Item", { text: "start end" });
  await space.flush();
  const device = await other();
  await until("the field is there", () => place.querySelector("input") !== null && device.tree.getVertex(item.id) !== undefined);
  const field = place.querySelector("input")!;
  await userEvent.click(field);
  field.setSelectionRange(6, 6);

  let writes = 0;
  const writing = setInterval(() => {
    // beside the text: other properties of the same vertex, and other children of the list
    device.tree.getVertex(item.id)!.setProperty("count", ++writes);
    device.tree.root!.newNamedChild(`child ${writes}`);
  }, 2);
  const typed = "the quick brown fox jumps over the lazy dog, ";
  await userEvent.keyboard(typed);
  clearInterval(writing);

  expect([field.value, field.selectionStart]).toEqual([`start ${typed}end`, 6 + typed.length]);
  expect(item.getProperty("text")).toBe(field.value);
  await until("everything has arrived", () => item.getProperty("count") === writes);
  await until("it is shown", () => place.querySelectorAll("li").length === writes + 1);
  expect(writes).toBeGreaterThan(5);
  await until("the text is there", () => device.tree.getVertex(item.id)!.getProperty("text") === field.value);
  expect([document.activeElement, field.selectionStart]).toEqual([field, 6 + typed.length]);
  await device.close();
}
