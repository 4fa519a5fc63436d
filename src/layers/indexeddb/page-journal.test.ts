import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KeyedRecord } from "./batches.ts";
import { PageJournal } from "./page-journal.ts";

const record = (n: number, text: string = `line ${n}\n`): KeyedRecord => [
  ["space", "tree", "peer", "writer", n],
  { peerId: "peer", lines: new TextEncoder().encode(text) },
];

/** Storage of a page, as an object whose own keys are the names. */
class FakeStorage {
  [name: string]: unknown;

  setItem(name: string, text: string): void {
    this[name] = text;
  }

  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? (this[name] as string) : null;
  }

  removeItem(name: string): void {
    delete this[name];
  }
}

let storage: FakeStorage;
beforeEach(() => {
  storage = new FakeStorage();
  vi.stubGlobal("document", {});
  vi.stubGlobal("localStorage", storage);
});
afterEach(() => vi.unstubAllGlobals());

test("records are found as they were added, by their space alone, until they are removed", () => {
  const journal = new PageJournal("db");
  journal.add([record(1), record(2)]);
  expect(new PageJournal("db").find("space")).toEqual([record(2), record(1)]);
  expect(new PageJournal("db").find("spac")).toEqual([]);
  expect(new PageJournal("other").find("space")).toEqual([]);
  journal.remove([record(1)]);
  expect(new PageJournal("db").find("space")).toEqual([record(2)]);
  new PageJournal("db").removeFound([record(2)]);
  expect(Object.keys(storage)).toEqual([]);
});

test("of a large save, the newest records are kept", () => {
  const journal = new PageJournal("db");
  journal.add(Array.from({ length: 40 }, (_, n) => record(n, "x".repeat(30_000))));
  const numbers = journal.find("space").map(([key]) => key[4]);
  expect(numbers.length).toBeGreaterThan(10);
  expect(Math.min(...numbers)).toBe(40 - numbers.length);
});

test.each(["QuotaExceededError", "NS_ERROR_DOM_QUOTA_REACHED", "NS_ERROR_FILE_CORRUPTED"])(
  "a storage that fails with %s stops nothing",
  (name) => {
    const fail = (): never => {
      throw Object.assign(new Error(name), { name });
    };
    const journal = new PageJournal("db");
    storage.setItem = fail;
    storage.removeItem = fail;
    journal.add([record(1)]);
    journal.remove([record(1)]);
    vi.stubGlobal("localStorage", new Proxy(storage, { ownKeys: fail, get: fail }));
    expect(journal.find("space")).toEqual([]);
  },
);

test("names that are not of a record are passed over", () => {
  const journal = new PageJournal("db");
  journal.add([record(1)]);
  for (const rest of ['["space","t', '["space","x"]', '["space",null,"p","w",0]', '["space","t","p","w","0"]'])
    storage[`foldspace:left:db:${rest}`] = "text";
  expect(journal.find("space")).toEqual([record(1)]);
});
