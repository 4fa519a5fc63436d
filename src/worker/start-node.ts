import { Worker } from "node:worker_threads";
import type { FromWorker } from "./protocol.ts";
import type { WorkerPort } from "./worker-port.ts";

/** Starts the parsing worker. It does not keep the process alive. */
export function startParseWorker(): WorkerPort | undefined {
  const worker = new Worker(new URL("./parse-worker-node.js", import.meta.url));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailed) {
      worker.on("message", (message: FromWorker) => onMessage(message));
      worker.on("error", (error) => onFailed(error.message));
    },
    terminate: () => void worker.terminate(),
  };
}
