import { afterEach, expect, test } from "vitest";
import {
  createApp,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  ref,
  shallowRef,
  type App,
  type PropType,
  type VNode,
} from "vue";
import { renderToString } from "vue/server-renderer";
import type { Space } from "../../src/space/space.ts";
import { until } from "../../src/testing/layer-bench.ts";
import type { Vertex } from "../../src/tree/index.ts";
import { useChildren, useSecrets, useSpace, useStatus, useVertex } from "../../src/vue/index.ts";
import { frameworkRig, typeWhileAnotherDeviceWrites, type FrameworkRig } from "./framework-rig.ts";

const apps: App[] = [];

afterEach(() => {
  for (const app of apps.splice(0)) app.unmount();
  document.body.replaceChildren();
});

const vertexProp = { vertex: { type: Object as PropType<Vertex>, required: true } } as const;

const Field = defineComponent({
  props: vertexProp,
  setup(props) {
    const snapshot = useVertex(() => props.vertex);
    const onInput = ({ target }: Event): void => props.vertex.setProperty("text", (target as HTMLInputElement).value);
    return (): VNode =>
      h("li", {}, [snapshot.value.name, h("input", { value: snapshot.value.properties["text"] ?? "", onInput })]);
  },
});

const List = defineComponent({
  props: vertexProp,
  setup(props) {
    const children = useChildren(() => props.vertex);
    return (): VNode =>
      h(
        "ul",
        {},
        children.value.filter(({ name }) => name !== "app-forest").map((vertex) => h(Field, { key: vertex.id, vertex })),
      );
  },
});

function pageOf({ manager, options }: FrameworkRig, spaces: Set<Space> = new Set()): ReturnType<typeof defineComponent> {
  return defineComponent({
    setup() {
      const state = useSpace(manager, options);
      return (): VNode => {
        const { space } = state.value;
        if (space) spaces.add(space);
        return space ? h(List, { vertex: space.tree.root! }) : h("p", {}, "opening");
      };
    },
  });
}

function mount(page: ReturnType<typeof defineComponent>): { place: HTMLElement; app: App } {
  const place = document.body.appendChild(document.createElement("main"));
  const app = createApp(page);
  apps.push(app);
  app.mount(place);
  return { place, app };
}

test("a text field keeps each character and the caret while another device writes", async () => {
  const [rig, spaces] = [frameworkRig(), new Set<Space>()];
  const { place } = mount(pageOf(rig, spaces));
  expect(place.textContent).toBe("opening");
  await until("it is open", () => spaces.size > 0);
  const [space] = spaces;
  await typeWhileAnotherDeviceWrites(place, space!, rig.other);
  apps.pop()!.unmount();
  await until("it is closed", () => space!.isClosed);
});

test("fast changes of the page keep one open space", async () => {
  const [rig, spaces] = [frameworkRig(), new Set<Space>()];
  for (let change = 0; change < 20; change++) {
    mount(pageOf(rig, spaces));
    await new Promise((resolve) => setTimeout(resolve, change % 4));
    apps.pop()!.unmount();
  }
  const { place } = mount(pageOf(rig, spaces));
  await until("it is open", () => spaces.size > 0);
  const [space] = spaces;
  space!.tree.root!.newNamedChild("written");
  await until("it is shown", () => place.textContent?.includes("written") ?? false);
  expect([spaces.size, rig.openings(), space!.isClosed]).toEqual([1, 1, false]);
});

test("a server renders the page as unopened, and the browser opens the space when it takes the page over", async () => {
  const rig = frameworkRig();
  const place = document.body.appendChild(document.createElement("main"));
  place.innerHTML = await renderToString(createSSRApp(pageOf(rig)));
  expect([place.textContent, rig.openings()]).toEqual(["opening", 0]);
  const app = createSSRApp(pageOf(rig));
  apps.push(app);
  app.mount(place);
  await until("it is open", () => place.querySelector("ul") !== null);
  expect(rig.openings()).toBe(1);
});

test("values follow the vertex that they are of, until the scope ends", async () => {
  const space = await frameworkRig().other();
  const [one, two] = [space.tree.root!.newNamedChild("one"), space.tree.root!.newNamedChild("two")];
  const vertex = shallowRef<Vertex | undefined>(one);
  const scope = effectScope();
  const [snapshot, children, secrets, status] = scope.run(
    () => [useVertex(vertex), useChildren(vertex), useSecrets(space), useStatus(space)] as const,
  )!;
  one.name = "One";
  expect(snapshot.value?.name).toBe("One");
  vertex.value = two;
  const child = two.newNamedChild("child");
  expect([snapshot.value?.name, children.value]).toEqual(["two", [child]]);
  // an app may keep a vertex in a deep ref, which must not wrap it
  expect(ref(children.value[0]).value?.name).toBe("child");
  space.secrets.set("api", "1234");
  expect([secrets.value.values, status.value]).toEqual([{ api: "1234" }, space.status]);
  vertex.value = undefined;
  expect([snapshot.value, children.value]).toEqual([undefined, []]);
  vertex.value = one;
  scope.stop();
  one.name = "unheard";
  expect(snapshot.value?.name).toBe("One");
  await space.close();
});
