import type { FromWorker, ToWorker } from "./protocol.ts";

/** The part of a worker that parsing needs, the same for browsers and Node. */
export interface WorkerPort {
  post(message: ToWorker): void;
  /** @param onFailed called if the worker could not be loaded or has broken */
  listen(onMessage: (message: FromWorker) => void, onFailed: (reason: string) => void): void;
  terminate(): void;
}

/** The part of a browser's `Worker` that is used. */
export interface WebWorkerLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
  terminate(): void;
}

export function webWorkerPort(worker: WebWorkerLike): WorkerPort {
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailed) {
      worker.addEventListener("message", (event) => onMessage(event.data as FromWorker));
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        // a worker that cannot be loaded emits an event without a message
        onFailed((event as ErrorEvent).message || "the worker could not be loaded");
      });
      worker.addEventListener("messageerror", () => onFailed("a message of the worker could not be read"));
    },
    terminate: () => worker.terminate(),
  };
}
