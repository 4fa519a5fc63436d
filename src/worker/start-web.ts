import { webWorkerPort, type WorkerPort } from "./worker-port.ts";

/** Starts the parsing worker. @returns `undefined` where there are no workers */
export function startParseWorker(): WorkerPort | undefined {
  if (typeof Worker === "undefined") return undefined;
  // in one expression: so bundlers recognise it
  return webWorkerPort(new Worker(new URL("./parse-worker.js", import.meta.url), { type: "module" }));
}
