/**
 * Names the method that the console of Node, and of other platforms that follow it, calls for an object. It is registered by this
 * name, so no module of Node is needed.
 */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

type Inspect = (value: unknown, options: unknown) => string;

/** Makes a console show objects of a class with their contents instead of their inner parts. */
export function showInConsole<T>(prototype: T, name: string, contentsOf: (shown: T) => object): void {
  Object.defineProperty(prototype, INSPECT, {
    value(this: T, _depth: number, options: unknown, inspect: Inspect) {
      return `${name} ${inspect(contentsOf(this), options)}`;
    },
  });
}
