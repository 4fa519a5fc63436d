import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { NONCE_BYTES, PROOF_BYTES, provenMessage, type Side } from "../bridge/proof.ts";

/** The server's side of the proof, for one connection. A client has one try. */
export class ServerProof {
  readonly #token: string;
  readonly #host: string;
  readonly #nonce = randomBytes(NONCE_BYTES);
  #clientNonce: Uint8Array | undefined;

  /** @param host address of the server as the client's request names it */
  constructor(token: string, host: string) {
    this.#token = token;
    this.#host = host;
  }

  /** Whether the client's first message has arrived. */
  get isChallenged(): boolean {
    return this.#clientNonce !== undefined;
  }

  /** @returns the answer to the client's nonce; `undefined` if it is not a nonce */
  challenge(clientNonce: Uint8Array): Uint8Array | undefined {
    if (clientNonce.length !== NONCE_BYTES) return undefined;
    this.#clientNonce = clientNonce.slice();
    return Buffer.concat([this.#nonce, this.#sign("server", this.#clientNonce)]);
  }

  /** Whether the client knows the token. Takes the same time for every wrong proof. */
  accepts(proof: Uint8Array): boolean {
    if (!this.#clientNonce || proof.length !== PROOF_BYTES) return false;
    return timingSafeEqual(proof, this.#sign("client", this.#clientNonce));
  }

  #sign(side: Side, client: Uint8Array): Buffer {
    return createHmac("sha256", this.#token)
      .update(provenMessage(side, this.#host, { client, server: this.#nonce }))
      .digest();
  }
}
