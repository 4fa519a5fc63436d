import { webWorkerPort, type WorkerPort } from "./worker-port.ts";

/** Starts the parsing worker. @returns `undefined` if the platform has no workers */
export function startParseWorker(): WorkerPort | undefined {
  if (typeof Worker === "undefined") return undefined;
  // bundlers recognise this only as one expression
  return webWorkerPort(new Worker(new URL("./parse-worker.js", import.meta.url), { type: "module" }));
}
