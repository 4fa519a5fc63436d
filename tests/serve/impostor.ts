import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { proofOf } from "./proving.ts";

/** What answers at a server's port, and need not be one of ours. */
export interface OtherServer {
  readonly port: number;
  /** All that clients have sent, and the addresses and headers that they asked with. */
  readonly heard: Buffer[];
  close(): Promise<void>;
}

export interface Contact {
  readonly socket: WebSocket;
  readonly host: string;
}

/** @param greet what it does with everyone who connects */
export async function serveAs(greet: (contact: Contact) => void, port: number = 0): Promise<OtherServer> {
  const heard: Buffer[] = [];
  const server = new WebSocketServer({ port, host: "127.0.0.1", handleProtocols: (protocols) => [...protocols][0] ?? false });
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  server.on("connection", (socket, request) => {
    heard.push(Buffer.from(`${request.url} ${JSON.stringify(request.headers)}`));
    socket.on("message", (data) => heard.push(data as Buffer));
    greet({ socket, host: request.headers.host ?? "" });
  });
  const close = async (): Promise<void> => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { port: (server.address() as AddressInfo).port, heard, close };
}

/** Proves as a server does that knows a token, believes whatever the client proves, and passes on what comes then. */
export function acceptClient(socket: WebSocket, token: string, host: string, onMessage: (message: Buffer) => void): void {
  let count = 0;
  socket.on("message", (data) => {
    const message = data as Buffer;
    count += 1;
    if (count === 1) {
      const nonces = { client: message, server: randomBytes(32) };
      socket.send(Buffer.concat([nonces.server, proofOf("server", token, host, nonces)]));
    } else if (count === 2) socket.send(Buffer.of());
    else onMessage(message);
  });
}
