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
  /** Sends a message by structured cloning. */
  postMessage(message: unknown): void;
  /** Calls the listener with each message of the worker. */
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** Calls the listener if the worker cannot be loaded, throws, or sends a message that cannot be read. */
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
  /** Ends the worker at once. */
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
