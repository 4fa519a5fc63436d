import { webCrypto } from "../../web-crypto.ts";
import type { Bytes } from "../../bytes.ts";
import { FoldspaceError } from "../../errors.ts";
import { PROTOCOL } from "./protocol.ts";

// First, each side proves to the other that it knows the token; the token itself is never sent. There are four messages:
// the client's nonce; the server's nonce with its proof; the client's proof; an empty message, with which the server
// accepts. A proof is an HMAC-SHA-256 under the token over the protocol, the side that makes it, the address of the
// server and both nonces. It is therefore useless in another connection, for the other side or at another port.

export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;
/** How long each side waits for the other's proof. */
export const PROOF_TIMEOUT_MS = 10_000;

export type Side = "client" | "server";

/** The message that a proof authenticates. @param host the server's address as the client names it: `127.0.0.1:PORT` */
export function provenMessage(side: Side, host: string, nonces: Readonly<Record<Side, Uint8Array>>): Bytes {
  const start = new TextEncoder().encode(`${PROTOCOL}\0${side}\0${host}\0`);
  const message = new Uint8Array(start.length + 2 * NONCE_BYTES);
  message.set(start);
  message.set(nonces.client, start.length);
  message.set(nonces.server, start.length + NONCE_BYTES);
  return message;
}

/** The client's side of the proof, for one connection. */
export class ClientProof {
  readonly nonce: Bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  readonly #token: string;
  readonly #host: string;

  /** @param host address of the server, with its port */
  constructor(token: string, host: string) {
    this.#token = token;
    this.#host = host;
  }

  /**
   * Checks the server's answer to the nonce.
   * @returns the client's proof
   * @throws FoldspaceError `FOLD_UNTRUSTED_SERVER` if the server does not know the token
   */
  async answer(challenge: Bytes): Promise<Bytes> {
    if (challenge.length !== NONCE_BYTES + PROOF_BYTES) throw untrustedServer("it does not prove that it knows the token");
    const nonces = { client: this.nonce, server: challenge.subarray(0, NONCE_BYTES) };
    const proof = challenge.subarray(NONCE_BYTES);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await webCrypto().importKey("raw", new TextEncoder().encode(this.#token), algorithm, false, ["sign", "verify"]);
    // takes the same time for every wrong proof
    const isProven = await webCrypto().verify("HMAC", key, proof, provenMessage("server", this.#host, nonces));
    if (!isProven) throw untrustedServer("its proof is not made with the token");
    return new Uint8Array(await webCrypto().sign("HMAC", key, provenMessage("client", this.#host, nonces)));
  }
}

export function untrustedServer(reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_UNTRUSTED_SERVER", `Another server answers at this address: ${reason}`);
}
