import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { AppFiles } from "../../src/serve/app-files.ts";
import { securityHeaders } from "../../src/serve/security-headers.ts";
import { APP } from "./rig.ts";

export interface PlainServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the files of the app like any file server, without a folder of notes. */
export async function servePlainly(port: number = 0): Promise<PlainServer> {
  const app = await AppFiles.open(APP, "assets");
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    for (const [name, value] of Object.entries(securityHeaders(own))) response.setHeader(name, value);
    void app.answer(new URL(request.url ?? "/", "http://here").pathname, request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}
