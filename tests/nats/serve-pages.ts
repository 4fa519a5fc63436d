import type { TestProject } from "vitest/node";
import { NatsServer } from "./nats-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of a server for pages. */
    natsServer: string;
  }
}

/** Starts a server for the tests in a browser, which cannot start one. @returns what stops it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // most bodies of the suite fit into one message, and some do not
  const server = await NatsServer.start("max_payload: 8192");
  project.provide("natsServer", server.webSocketUrl);
  return async () => server.stop();
}
