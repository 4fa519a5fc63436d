import { Component, createElement as h, StrictMode, Suspense, useState, type ReactElement, type ReactNode } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { afterEach, expect, test } from "vitest";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import { useChildren, useSecrets, useSpace, useSuspenseSpace, useVertex, type LiveSpaceOptions } from "../../src/react/index.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId, type Vertex } from "../../src/tree/index.ts";
import { frameworkRig, typeWhileAnotherDeviceWrites } from "./framework-rig.ts";

const roots: Root[] = [];

function mount(element: ReactNode): HTMLElement {
  const place = document.body.appendChild(document.createElement("main"));
  const root = createRoot(place);
  roots.push(root);
  root.render(element);
  return place;
}

afterEach(() => {
  for (const root of roots.splice(0)) root.unmount();
  document.body.replaceChildren();
});

function Field({ vertex }: { readonly vertex: Vertex }): ReactElement {
  const { text } = useVertex(vertex).properties;
  return h("input", {
    value: typeof text === "string" ? text : "",
    onChange: ({ currentTarget }) => vertex.setProperty("text", currentTarget.value),
  });
}

function List({ vertex }: { readonly vertex: Vertex }): ReactElement {
  const children = useChildren(vertex);
  return h(
    "ul",
    {},
    children
      .filter(({ name }) => name !== "app-forest")
      .map((child) => h("li", { key: child.id }, child.name, h(Field, { vertex: child }))),
  );
}

for (const isStrict of [false, true])
  test(`a controlled field keeps each character and the caret while another device writes${isStrict ? " (StrictMode)" : ""}`, async () => {
    const { manager, options, other } = frameworkRig();
    let space: Space | undefined;
    const App = (): ReactElement => {
      const state = useSpace(manager, options);
      space = state.space;
      return space ? h(List, { vertex: space.tree.root! }) : h("p", {}, "opening");
    };
    const place = mount(isStrict ? h(StrictMode, {}, h(App)) : h(App));
    await until("it is open", () => space !== undefined);
    await typeWhileAnotherDeviceWrites(place, space!, other);
  });

test("StrictMode and fast changes of the route keep one open space, which closes when it is left", async () => {
  const { manager, options, openings, other } = frameworkRig();
  const seen = new Set<Space>();
  let isClosedSpaceShown = false;
  const Page = ({ name }: { readonly name: string }): ReactElement => {
    const { space } = useSpace(manager, options);
    if (space) seen.add(space);
    if (space?.isClosed) isClosedSpaceShown = true;
    return h("section", {}, name, space ? h(List, { vertex: space.tree.root! }) : "opening");
  };
  let go: (route: string) => void = () => undefined;
  const Router = (): ReactElement => {
    const [route, setRoute] = useState("a");
    go = setRoute;
    return route === "nowhere" ? h("p", {}, "nowhere") : h(Page, { key: route, name: route });
  };
  const place = mount(h(StrictMode, {}, h(Router)));
  for (let change = 0; change < 30; change++) {
    go(["a", "b", "nowhere"][change % 3]!);
    await new Promise((resolve) => setTimeout(resolve, change % 5));
  }
  go("b");
  await until("it is open", () => seen.size > 0);
  const [space] = seen;
  space!.tree.root!.newNamedChild("written");
  await until("it is shown", () => place.textContent?.includes("written") ?? false);
  expect([seen.size, openings(), isClosedSpaceShown, space!.isClosed]).toEqual([1, 1, false, false]);
  go("nowhere");
  await until("it is closed", () => space!.isClosed);
  const device = await other();
  expect(device.tree.getVertexByPath("/written")?.name).toBe("written");
  await device.close();
});

class Boundary extends Component<{ readonly children: ReactNode }, { readonly message?: string }> {
  static getDerivedStateFromError(error: Error): { readonly message: string } {
    return { message: error.message };
  }

  override state: { readonly message?: string } = {};

  override render(): ReactNode {
    return this.state.message ?? this.props.children;
  }
}

function Named({ manager, options }: { readonly manager: SpaceManager; readonly options: LiveSpaceOptions }): ReactElement {
  return h("b", {}, useSuspenseSpace(manager, options).name);
}

for (const isStrict of [false, true])
  test(`a component suspends until the space is open, and throws why it cannot be opened${isStrict ? " (StrictMode)" : ""}`, async () => {
    const { manager, options, openings } = frameworkRig();
    const wrap = (element: ReactElement): ReactElement => (isStrict ? h(StrictMode, {}, element) : element);
    const page = (given: LiveSpaceOptions): ReactElement =>
      wrap(h(Boundary, { children: h(Suspense, { fallback: "waiting" }, h(Named, { manager, options: given })) }));
    const place = mount(page(options));
    await until("it waits", () => place.textContent === "waiting");
    await until("it is shown", () => place.textContent === "Home");
    expect(openings()).toBe(1);
    const failing = mount(page({ id: newId(), layers: () => [] }));
    await until("the reason is shown", () => failing.textContent?.includes("at least one layer") ?? false);
  });

test("a page from a server has the fallback, and opens the space when it is taken over", async () => {
  const { manager, options, openings } = frameworkRig();
  const App = (): ReactElement => h("p", {}, useSpace(manager, options).space?.name ?? "opening");
  const page = h("main", {}, h(App), h(Suspense, { fallback: "waiting" }, h(Named, { manager, options })));
  const place = document.body.appendChild(document.createElement("div"));
  const errors: unknown[] = [];
  place.innerHTML = renderToString(page);
  expect([place.textContent, openings()]).toEqual(["openingwaiting", 0]);
  roots.push(hydrateRoot(place, page, { onRecoverableError: (error) => errors.push((error as Error).message) }));
  await until("it is open", () => place.textContent === "HomeHome");
  expect(openings()).toBe(1);
  // React reports the part that the server left to the browser, and no text that differs
  expect(errors.filter((message) => /hydrat|match/i.test(String(message)))).toEqual([]);
});

test("secrets are shown as they are set, and two components in IndexedDB share one space", async () => {
  const id = newId();
  const manager = new SpaceManager();
  const options = { id, layers: () => [new IndexedDBPersistenceLayer(id, { databaseName: id })] };
  let space: Space | undefined;
  const Keys = ({ of }: { readonly of: Space }): ReactElement => h("i", {}, JSON.stringify(useSecrets(of).values));
  const App = (): ReactElement => {
    ({ space } = useSpace(manager, options));
    return space ? h(Keys, { of: space }) : h("p", {}, "opening");
  };
  const place = mount(h(StrictMode, {}, h(App), h(App)));
  await until("both are open", () => place.querySelectorAll("i").length === 2);
  space!.secrets.set("api", "1234");
  await until("it is shown", () => place.textContent === '{"api":"1234"}{"api":"1234"}');
});
