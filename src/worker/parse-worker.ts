// Runs in a worker of a browser. Built into a single file without imports, which every bundler can copy.
import type { ToWorker } from "./protocol.ts";
import { serveParsing } from "./serve.ts";

interface WorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: ToWorker }) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const receive = serveParsing((message, transfer) => scope.postMessage(message, transfer));
scope.addEventListener("message", (event) => receive(event.data));
