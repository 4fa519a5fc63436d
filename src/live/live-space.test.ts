import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryPersistenceLayer, MemoryStore } from "../layers/memory-layer.ts";
import { SpaceManager } from "../space/space-manager.ts";
import { newId } from "../tree/index.ts";
import { liveSpace, UNOPENED, type LiveSpace, type LiveSpaceOptions } from "./live-space.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

function rig(): { manager: SpaceManager; options: LiveSpaceOptions; openings: () => number; live: () => LiveSpace } {
  const [id, store, manager] = [newId(), new MemoryStore(), new SpaceManager()];
  let openings = 0;
  const layers = (): MemoryPersistenceLayer[] => {
    openings++;
    return [new MemoryPersistenceLayer(id, { store })];
  };
  const options = { id, name: "Home", layers };
  return { manager, options, openings: () => openings, live: () => liveSpace(manager, options) };
}

async function untilClosed(manager: SpaceManager): Promise<void> {
  for (let waited = 0; manager.spaces.length > 0; waited++) {
    expect(waited).toBeLessThan(100);
    await vi.advanceTimersByTimeAsync(100);
  }
}

test("a space is opened by its first subscriber, shared, and closed some time after the last one", async () => {
  const { manager, openings, live } = rig();
  const states: unknown[] = [];
  const source = live();
  expect([live(), source.get(), openings()]).toEqual([source, UNOPENED, 0]);
  const ends = [source.subscribe(() => states.push(source.get().space?.name)), source.subscribe(() => undefined)];
  await source.opened;
  expect([states, openings()]).toEqual([["Home"], 1]);
  for (const end of ends) end();
  const { space } = source.get();
  await vi.advanceTimersByTimeAsync(900);
  expect(space!.isClosed).toBe(false);
  await untilClosed(manager);
  expect(space!.isClosed).toBe(true);
  expect(live()).not.toBe(source);
});

test("a component that leaves and comes back keeps the open space, however often", async () => {
  const { openings, live } = rig();
  const source = live();
  let end = source.subscribe(() => undefined);
  await source.opened;
  const { space } = source.get();
  for (let change = 0; change < 20; change++) {
    end();
    await vi.advanceTimersByTimeAsync(500);
    end = source.subscribe(() => undefined);
  }
  await vi.advanceTimersByTimeAsync(5_000);
  expect([source.get().space, space!.isClosed, openings()]).toEqual([space, false, 1]);
  end();
});

test("a component that leaves while the space is opening leaves nothing open", async () => {
  const { manager, live } = rig();
  const source = live();
  source.subscribe(() => undefined)();
  const space = await source.opened;
  await untilClosed(manager);
  expect(space.isClosed).toBe(true);
});

test("a subscriber that comes after the closing opens the space again, without a loss", async () => {
  const { manager, live } = rig();
  const source = live();
  const end = source.subscribe(() => undefined);
  (await source.opened).tree.root!.newNamedChild("Milk");
  end();
  await untilClosed(manager);
  expect(source.get()).toBe(UNOPENED);
  source.subscribe(() => undefined);
  expect((await source.opened).tree.getVertexByPath("/Milk")?.name).toBe("Milk");
});

test("a failure is the state, and is tried again by the next user", async () => {
  const { manager, options } = rig();
  let attempts = 0;
  const failing = (): never => {
    throw new Error(`attempt ${++attempts}`);
  };
  const source = liveSpace(manager, { ...options, layers: failing });
  const end = source.subscribe(() => undefined);
  await source.opened.catch(() => undefined);
  expect(source.get()).toMatchObject({ space: undefined, error: { message: "attempt 1" } });
  end();
  await vi.advanceTimersByTimeAsync(2_000);
  const again = liveSpace(manager, options);
  again.subscribe(() => undefined);
  expect((await again.opened).name).toBe("Home");
});
