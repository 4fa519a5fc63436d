import type { Drafts } from "./drafts.ts";
import { freezeValue, type JsonValue } from "./json-value.ts";
import { NAME_KEY, OLD_NAME_KEY } from "./names.ts";
import { compareOpIds, type OpId } from "./operation.ts";
import { ORDER_KEY, orderOf } from "./order.ts";
import type { VertexProperty } from "./properties.ts";
import type { PropertyTable, SetValue } from "./property-table.ts";

/** Property with the ISO time of creation, by which siblings without an order key are ordered. */
export const CREATED_AT_KEY = "_c";

/** The properties of vertices as a reader sees them: drafts hide stored values. */
export class ShownProperties {
  readonly #stored: PropertyTable;
  readonly #drafts: Drafts;

  constructor(stored: PropertyTable, drafts: Drafts) {
    this.#stored = stored;
    this.#drafts = drafts;
  }

  /** The draft or, without one, the value that was stored last. */
  shown(vertex: number, key: string): SetValue | undefined {
    return this.#drafts.get(vertex, key) ?? this.#stored.winner(vertex, key);
  }

  value(vertex: number, key: string, includingTransient: boolean): JsonValue | undefined {
    const draft = includingTransient ? this.#drafts.get(vertex, key) : undefined;
    return freezeValue(draft ? draft.value : this.#stored.value(vertex, key));
  }

  all(vertex: number, includingTransient: boolean): VertexProperty[] {
    let entries = this.#stored.entriesOf(vertex);
    const drafts = includingTransient ? this.#drafts.of(vertex) : [];
    if (drafts.length > 0) {
      const values = new Map(entries);
      for (const { key, value } of drafts) values.set(key, value);
      entries = [...values];
    }
    const properties: VertexProperty[] = [];
    for (const [key, value] of entries) if (value !== undefined) properties.push({ key, value: freezeValue(value) });
    return properties;
  }

  /** The vertex's name: of the texts in both properties, the one that was set later. */
  name(vertex: number): string | undefined {
    let latest: SetValue | undefined;
    for (const key of [OLD_NAME_KEY, NAME_KEY]) {
      const set = this.shown(vertex, key);
      if (typeof set?.value === "string" && (!latest || compareOpIds(set.id, latest.id) > 0)) latest = set;
    }
    return latest?.value as string | undefined;
  }

  /** Its order key; `undefined` if it has none. */
  order(vertex: number): string | undefined {
    return orderOf(this.#stored.value(vertex, ORDER_KEY));
  }

  /** Empty if it is not known. */
  createdAt(vertex: number): string {
    const value = this.#stored.value(vertex, CREATED_AT_KEY);
    return typeof value === "string" ? value : "";
  }

  /** The operation that a new value must follow. */
  decisive(vertex: number, key: string): OpId | undefined {
    const [stored, draft] = [this.#stored.winner(vertex, key)?.id, this.#drafts.get(vertex, key)?.id];
    return stored && draft && compareOpIds(stored, draft) > 0 ? stored : (draft ?? stored);
  }
}
