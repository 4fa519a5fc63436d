import { recall, remember } from "./browser-settings.ts";

/** The space that this page's address served before: enough to open it while the server is away. */
export interface ServedBefore {
  readonly id: string;
  /** Of the folder on the machine. */
  readonly path: string;
  /** The same without links. Absent in what an earlier version has remembered. */
  readonly realPath?: string;
}

export function rememberServed(served: ServedBefore): void {
  remember("served", JSON.stringify(served));
}

export function recallServed(): ServedBefore | undefined {
  const text = recall("served");
  return text === undefined ? undefined : (JSON.parse(text) as ServedBefore);
}
