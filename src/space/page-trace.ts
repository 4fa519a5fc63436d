import { traceOptionsOf, type TraceOptions } from "../trace.ts";

/** Key in a page's localStorage that switches tracing on; its values are those of `traceOptionsOf`. */
export const TRACE_SETTING = "foldspaceDebug";
/** BroadcastChannel on which every tab of the origin posts its events, so that the console of one tab shows those of all. */
export const TRACE_CHANNEL = "foldspace:trace";

/** Tracing as the page's own storage asks for it; `undefined` where it does not, and outside of pages. */
export function pageTrace(): TraceOptions | undefined {
  const setting = readSetting();
  if (!setting || typeof BroadcastChannel === "undefined") return undefined;
  // nothing listens on it, so the browser collects it together with the space
  const channel = new BroadcastChannel(TRACE_CHANNEL);
  return traceOptionsOf(setting, (event) => channel.postMessage(event));
}

function readSetting(): string | null {
  // newer versions of Node have a localStorage, too, and warn when it is used
  if (typeof document === "undefined") return null;
  try {
    return localStorage.getItem(TRACE_SETTING);
  } catch {
    // a page whose storage is blocked cannot be set to trace
    return null;
  }
}
