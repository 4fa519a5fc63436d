import type { TestProject } from "vitest/node";
import { NatsServer } from "./nats-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of a server for pages. */
    natsServer: string;
  }
}

let server: NatsServer | undefined;

/** Starts a server for the tests in a browser, which cannot start one. */
export async function setup(project: TestProject): Promise<void> {
  // most bodies of the suite fit into one message, and some do not
  server = await NatsServer.start("max_payload: 8192");
  project.provide("natsServer", server.webSocketUrl);
}

export async function teardown(): Promise<void> {
  await server?.stop();
}
