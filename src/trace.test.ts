import { expect, test } from "vitest";
import { formatTraceEvent, MAX_TRACED_IDS, openTrace, traceOptionsOf, type TraceEvent, type TraceOptions } from "./trace.ts";

const SOURCE = { spaceId: "space", peerId: () => "a-peer-of-some-length", clock: { now: () => Date.UTC(2026, 0, 1) } };

function ops(peerId: string, ...counters: number[]): { id: { counter: number; peerId: string } }[] {
  return counters.map((counter) => ({ id: { counter, peerId } }));
}

/** What gets through a filter, of a few events. */
function passing(filter: Omit<TraceOptions, "listener">): string[] {
  const passed: string[] = [];
  const trace = openTrace([{ ...filter, listener: ({ hop, opIds }) => passed.push([hop, ...opIds].join(" ")) }], SOURCE)!;
  trace.emit("made", { treeId: "tree-1", ops: ops("peer", 11, 12) });
  trace.emit("saved", { treeId: "tree-2", ops: ops("peer", 12) });
  trace.emit("hint", { treeId: undefined });
  trace.emit("hint", { treeId: "tree-2" });
  return passed;
}

test("without listeners there is no trace", () => {
  expect(openTrace([undefined, undefined], SOURCE)).toBeUndefined();
});

test("every listener gets every event, with a bounded number of ids", () => {
  const events: TraceEvent[] = [];
  const trace = openTrace([(event) => events.push(event), { listener: (event) => events.push(event) }], SOURCE)!;
  const counters = Array.from({ length: 1_000 }, (_, index) => index + 1);
  trace.ofLayer("folder").emit("saved", { treeId: "tree", ops: ops("peer", ...counters), file: "a/file" });
  const opIds = counters.slice(0, MAX_TRACED_IDS).map((counter) => `${counter}@peer`);
  const common = { at: Date.UTC(2026, 0, 1), spaceId: "space", peerId: "a-peer-of-some-length", code: undefined };
  const event = { ...common, hop: "saved", treeId: "tree", layerId: "folder", opIds, opCount: 1_000, file: "a/file" };
  expect(events).toEqual([event, event]);
});

test("filters by the beginnings of ids keep what concerns no tree or no operation in particular", () => {
  expect(passing({})).toEqual(["made 11@peer 12@peer", "saved 12@peer", "hint", "hint"]);
  expect(passing({ treeId: "tree-1" })).toEqual(["made 11@peer 12@peer", "hint"]);
  expect(passing({ opId: "12@" })).toEqual(["made 12@peer", "saved 12@peer", "hint", "hint"]);
  expect(passing({ treeId: "tree-2", opId: "11@peer" })).toEqual(["hint", "hint"]);
});

test("one listener that throws keeps no other from its events", () => {
  const [hops, reasons]: [string[], string[]] = [[], []];
  const failing = (): void => {
    throw new Error("no");
  };
  const onError = (reason: string): number => reasons.push(reason);
  const trace = openTrace([failing, ({ hop }) => hops.push(hop)], { ...SOURCE, onError })!;
  trace.emit("made", {});
  trace.emit("saved", {});
  expect(hops).toEqual(["made", "saved"]);
  expect(reasons).toEqual(["the trace function threw, and gets no more events: no"]);
});

test("a setting is off, on, or a filter", () => {
  const listener = (): void => undefined;
  expect(["", "0", null, undefined].map((setting) => traceOptionsOf(setting, listener))).toEqual(Array(4).fill(undefined));
  expect(traceOptionsOf("1", listener)).toEqual({ listener });
  expect(traceOptionsOf("0a1b", listener)).toEqual({ listener, treeId: "0a1b", opId: undefined });
  expect(traceOptionsOf("0a1b/12@cd", listener)).toEqual({ listener, treeId: "0a1b", opId: "12@cd" });
  expect(traceOptionsOf("/12@cd", listener)).toEqual({ listener, treeId: "", opId: "12@cd" });
});

test("an event is a line with shortened ids", () => {
  const lines: string[] = [];
  const trace = openTrace([(event) => lines.push(formatTraceEvent(event))], SOURCE)!;
  trace.ofLayer("folder").emit("saved", { treeId: "0123456789abcdef", ops: ops("fedcba9876543210", 1, 2), file: "a/file" });
  trace.ofLayer("folder").emit("hint", {});
  trace.emit("failed", { treeId: "tree", ops: ops("peer", ...Array(30).keys()), code: "FOLD_IO" });
  expect(lines.slice(0, 2)).toEqual([
    "00:00:00.000Z  peer=a-peer-o  saved     tree=01234567  1@fedcba98 2@fedcba98  folder  a/file",
    "00:00:00.000Z  peer=a-peer-o  hint      any tree  folder",
  ]);
  expect(lines[2]).toMatch(/ failed {4}tree=tree {2}0@peer .* 19@peer \(20 of 30\) {2}FOLD_IO$/);
});
