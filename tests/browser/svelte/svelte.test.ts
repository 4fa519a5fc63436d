import { mount, unmount } from "svelte";
import { get } from "svelte/store";
import { afterEach, expect, test } from "vitest";
import type { Space } from "../../../src/space/space.ts";
import { childrenStore, secretsStore, statusStore, vertexStore, type SpaceState } from "../../../src/svelte/index.ts";
import { until } from "../../../src/testing/layer-bench.ts";
import { frameworkRig, typeWhileAnotherDeviceWrites, type FrameworkRig } from "../framework-rig.ts";
import Page from "./Page.svelte";

afterEach(() => document.body.replaceChildren());

interface Shown {
  readonly place: HTMLElement;
  readonly spaces: Set<Space>;
  readonly leave: () => Promise<void>;
}

function show({ manager, options }: FrameworkRig): Shown {
  const spaces = new Set<Space>();
  const place = document.body.appendChild(document.createElement("main"));
  const shown = ({ space }: SpaceState): void => void (space && spaces.add(space));
  const page = mount(Page, { target: place, props: { manager, options, shown } });
  return { place, spaces, leave: async () => await unmount(page) };
}

test("a text field keeps each character and the caret while another device writes", async () => {
  const rig = frameworkRig();
  const { place, spaces, leave } = show(rig);
  expect(place.textContent).toContain("opening");
  await until("it is open", () => spaces.size > 0);
  const [space] = spaces;
  await typeWhileAnotherDeviceWrites(place, space!, rig.other);
  await leave();
  await until("it is closed", () => space!.isClosed);
});

test("fast changes of the page keep one open space", async () => {
  const rig = frameworkRig();
  for (let change = 0; change < 20; change++) {
    const { leave } = show(rig);
    await new Promise((resolve) => setTimeout(resolve, change % 4));
    await leave();
  }
  const { place, spaces, leave } = show(rig);
  await until("it is open", () => spaces.size > 0);
  const [space] = spaces;
  space!.tree.root!.newNamedChild("written");
  await until("it is shown", () => place.textContent?.includes("written") ?? false);
  expect([rig.openings(), space!.isClosed]).toEqual([1, false]);
  await leave();
});

test("stores pass a value once, as it is when they are read", async () => {
  const rig = frameworkRig();
  const space = await rig.other();
  const root = space.tree.root!;
  const names: (string | undefined)[] = [];
  const stop = vertexStore(root).subscribe(({ name }) => names.push(name));
  root.name = "One";
  root.newChild();
  await Promise.resolve();
  root.name = "Two";
  stop();
  root.name = "Three";
  expect(names).toEqual([undefined, "One", "Two"]);
  expect(get(childrenStore(root))).toBe(root.children);
  space.secrets.set("api", "1234");
  expect(get(secretsStore(space)).values).toEqual({ api: "1234" });
  expect(get(statusStore(space))).toBe(space.status);
  await space.close();
});
