import { isBytes } from "../../bytes.ts";
import { FileSystemService } from "../bridge/file-system-service.ts";
import type { WatchingFileSystem } from "../file-system.ts";
import { ServerProof } from "../serving/server-proof.ts";
import type { MainPort } from "./ports.ts";

/** The serving side of one port: the proofs of the bridge, then its calls. */
export class PortClient {
  readonly #fs: WatchingFileSystem;
  readonly #port: MainPort;
  readonly #proof: ServerProof;
  readonly #onEnd: () => void;
  #service: FileSystemService | undefined;
  #ended: Promise<void> | undefined;

  /** @param onEnd called once, when the port is closed by either side */
  constructor(fs: WatchingFileSystem, port: MainPort, token: string, onEnd: () => void) {
    this.#fs = fs;
    this.#port = port;
    // a port has no address
    this.#proof = new ServerProof(token, "");
    this.#onEnd = onEnd;
    port.on("message", ({ data }) => this.#take(data));
    port.on("close", () => void this.close());
    port.start();
  }

  /** Closes the port. @returns resolves when every watch has ended */
  async close(): Promise<void> {
    if (!this.#ended) {
      this.#port.close();
      this.#onEnd();
      this.#ended = this.#service?.close() ?? Promise.resolve();
    }
    await this.#ended;
  }

  #take(message: unknown): void {
    if (this.#ended) return;
    if (!isBytes(message)) void this.close();
    else if (this.#service) this.#service.receive(message);
    else if (this.#proof.isChallenged) this.#accept(message);
    else this.#challenge(message);
  }

  #challenge(nonce: Uint8Array): void {
    const challenge = this.#proof.challenge(nonce);
    if (challenge) this.#send(challenge);
    else void this.close();
  }

  #accept(proof: Uint8Array): void {
    if (!this.#proof.accepts(proof)) {
      void this.close();
      return;
    }
    this.#service = new FileSystemService(this.#fs, {
      send: async (message) => this.#send(message),
      fail: () => void this.close(),
      // a port cannot be paused: what a page sends waits in this process, whoever keeps it
      pause: () => undefined,
      resume: () => undefined,
    });
    this.#send(new Uint8Array());
  }

  #send(message: Uint8Array): void {
    // a clone of a view contains all of its buffer, which Node shares among many
    this.#port.postMessage(message.slice());
  }
}
