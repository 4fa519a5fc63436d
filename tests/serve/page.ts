import { errorCode } from "../../src/errors.ts";
import { openServedFolder } from "../../src/fs/bridge/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";

// What a served page offers to the tests that drive it from outside: everything in and out is plain data.

export class ServedPage {
  readonly #space: Space;
  readonly #layer: FileSystemPersistenceLayer;
  readonly served: { readonly spaceId: string; readonly path: string; readonly name: string };

  private constructor(space: Space, layer: FileSystemPersistenceLayer, served: ServedPage["served"]) {
    this.#space = space;
    this.#layer = layer;
    this.served = served;
  }

  static async open(): Promise<ServedPage> {
    const { fs, ...served } = (await openServedFolder())!;
    const layer = new FileSystemPersistenceLayer("", served.spaceId, { fs, flushIntervalMs: 50 });
    const space = await new SpaceManager().loadSpace({ id: served.spaceId }, [layer]);
    return new ServedPage(space, layer, served);
  }

  add(name: string): void {
    this.#space.tree.root!.newNamedChild(name);
  }

  names(): string[] {
    return this.#space.tree.root!.children.map(({ name }) => name ?? "");
  }

  state(): string {
    return `${this.#layer.status.state} ${this.#layer.status.error?.code ?? ""}`.trim();
  }

  async flush(): Promise<string> {
    return await this.#space.flush().then(
      () => "saved",
      (error: unknown) => errorCode(error) ?? String(error),
    );
  }
}

declare global {
  interface Window {
    /** The page, or the code of what kept it from opening. */
    opened: Promise<ServedPage | string>;
    violations: string[];
  }
}

globalThis.window.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective }) => window.violations.push(violatedDirective));
globalThis.window.opened = ServedPage.open().catch((error: unknown) => errorCode(error) ?? String(error));
