import { afterEach, expect, test, vi } from "vitest";
import type { TraceEvent } from "../trace.ts";
import { pageTrace, TRACE_CHANNEL, TRACE_SETTING } from "./page-trace.ts";

afterEach(() => vi.unstubAllGlobals());

function inPage(getItem: (key: string) => string | null): void {
  vi.stubGlobal("document", {});
  vi.stubGlobal("localStorage", { getItem });
}

test("a page is not traced unless its storage says so", () => {
  expect(pageTrace()).toBeUndefined();
  inPage(() => null);
  expect(pageTrace()).toBeUndefined();
  inPage(() => {
    throw new Error("storage is blocked");
  });
  expect(pageTrace()).toBeUndefined();
});

test("a page that is traced posts its events to all tabs, filtered as its storage says", async () => {
  inPage((key) => (key === TRACE_SETTING ? "tree/12@peer" : null));
  const other = new BroadcastChannel(TRACE_CHANNEL);
  const received = new Promise((resolve) => (other.onmessage = ({ data }: MessageEvent) => resolve(data)));
  const trace = pageTrace()!;
  expect(trace).toMatchObject({ treeId: "tree", opId: "12@peer" });
  const ids = { spaceId: "space", peerId: "peer", treeId: "tree", layerId: undefined, opIds: ["12@peer"], opCount: 1 };
  const event: TraceEvent = { at: 1, hop: "made", ...ids, file: undefined, code: undefined };
  trace.listener(event);
  expect(await received).toEqual(event);
  other.close();
});
