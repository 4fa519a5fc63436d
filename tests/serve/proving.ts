import { createHmac, randomBytes } from "node:crypto";
import type { WebSocket } from "ws";

// The proof of the bridge, written a second time from its description, for tests that keep to it in part only.

export const PROTOCOL = "foldspace.v2";

export interface Nonces {
  readonly client: Buffer;
  readonly server: Buffer;
}

export function proofOf(side: "client" | "server", token: string, host: string, { client, server }: Nonces): Buffer {
  return createHmac("sha256", token)
    .update(Buffer.concat([Buffer.from(`${PROTOCOL}\0${side}\0${host}\0`), client, server]))
    .digest();
}

export function nextMessage(socket: WebSocket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once("message", (data) => resolve(data as Buffer));
    socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
  });
}

/** Sends a nonce. @returns what the server answers with */
export async function challenge(socket: WebSocket): Promise<{ readonly nonces: Nonces; readonly proof: Buffer }> {
  const client = randomBytes(32);
  const answer = nextMessage(socket);
  socket.send(client);
  const bytes = await answer;
  return { nonces: { client, server: bytes.subarray(0, 32) }, proof: bytes.subarray(32) };
}

/** Proves as a client does. @returns whether the server has proven itself; it has accepted then */
export async function prove(socket: WebSocket, token: string, host: string): Promise<boolean> {
  const { nonces, proof } = await challenge(socket);
  const acceptance = nextMessage(socket);
  socket.send(proofOf("client", token, host, nonces));
  return (await acceptance).length === 0 && proof.equals(proofOf("server", token, host, nonces));
}
