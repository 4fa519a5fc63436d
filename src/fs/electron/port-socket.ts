import type { Bytes } from "../../bytes.ts";
import type { BridgeSocket } from "../bridge/link.ts";

type Listener = (event: { readonly data: unknown }) => void;

/** A port in the place of a socket. */
export class PortSocket implements BridgeSocket {
  binaryType = "arraybuffer";
  readonly #port: MessagePort;
  readonly #closing = new EventTarget();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  send(message: Bytes): void {
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port.close();
    queueMicrotask(() => this.#closing.dispatchEvent(new Event("close")));
  }

  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: Listener): void;
  addEventListener(type: "open" | "close" | "error" | "message", listener: Listener | (() => void)): void {
    // what is sent before the other side listens waits in the port
    if (type === "open") queueMicrotask(listener as () => void);
    else if (type === "close") {
      this.#closing.addEventListener("close", listener as () => void);
      // where ports do not tell that the other side is closed, the bridge finds out by its pings
      this.#port.addEventListener("close", listener as () => void);
    } else if (type === "message") {
      this.#port.addEventListener("message", ({ data }) => listener({ data }));
      this.#port.start();
    }
  }
}
