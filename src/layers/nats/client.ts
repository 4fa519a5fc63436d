import type { Authenticator, ConnectionOptions, MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import { errorMessage, FoldspaceError } from "../../errors.ts";

/** The proof of its identity that a device gives a server. */
export type NatsCredentials =
  /** Text of a credentials file (`.creds`): a JWT and the key that belongs to it. */
  { readonly file: string } | { readonly user: string; readonly password: string } | { readonly token: string };

/** The parts of the client that a layer uses. */
export interface NatsClient {
  dial(options: ConnectionOptions): Promise<NatsConnection>;
  headers(values: Readonly<Record<string, string>>): MsgHdrs;
  authenticator(credentials: NatsCredentials): Authenticator;
}

/**
 * Loads the official client, which pages and programs without a server need not have.
 * @throws FoldspaceError `FOLD_UNAVAILABLE` if it is not installed
 */
export async function loadClient(): Promise<NatsClient> {
  try {
    const [core, { dial }] = await Promise.all([import("@nats-io/nats-core"), import("#platform-nats")]);
    return {
      dial,
      headers(values) {
        const headers = core.headers();
        for (const [name, value] of Object.entries(values)) headers.set(name, value);
        return headers;
      },
      authenticator(credentials) {
        if ("file" in credentials) return core.credsAuthenticator(new TextEncoder().encode(credentials.file));
        if ("token" in credentials) return core.tokenAuthenticator(credentials.token);
        return core.usernamePasswordAuthenticator(credentials.user, credentials.password);
      },
    };
  } catch (error) {
    throw new FoldspaceError(
      "FOLD_UNAVAILABLE",
      `A server layer needs the packages @nats-io/nats-core and, in Node, @nats-io/transport-node: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}
