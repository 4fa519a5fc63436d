/** A component as the compiler of Svelte makes it. */
declare module "*.svelte" {
  import type { Component } from "svelte";

  export { component as default };
  const component: Component<Record<string, unknown>>;
}
