import { createServer, connect, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy on a free port that can stop to forward while its connections stay open, as a network without a route does. */
export class BlackHole {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  isOpen = true;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (data) => void (this.isOpen && to.write(data)));
        from.on("close", () => void (this.#sockets.delete(from), this.isOpen && to.destroy()));
        from.on("error", () => void from.destroy());
      }
    });
  }

  /** @param port of the server behind it */
  static async before(port: number): Promise<BlackHole> {
    const proxy = new BlackHole(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
