import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { FoldspaceError } from "../errors.ts";
import { ServerProof } from "../fs/serving/server-proof.ts";

const TOKEN_BYTES = 32;
/** 22 characters of this alphabet have 128 bits or more. */
const TOKEN = /^[\w-]{22,128}$/;

const OUR_NAMES = ["127.0.0.1", "localhost"] as const;

/** Makes an unguessable token. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** Decides which requests the server accepts. */
export class Access {
  readonly #token: string;

  /** @throws FoldspaceError `FOLD_BAD_VALUE` for a token that is too short, or has other characters than base64url */
  constructor(token: string) {
    if (!TOKEN.test(token)) {
      throw new FoldspaceError("FOLD_BAD_VALUE", "The token needs 22 to 128 random characters out of A-Z, a-z, 0-9, _ and -");
    }
    this.#token = token;
  }

  /**
   * Whether a request names this machine by its own name, not by a foreign name that resolves to it, and comes from no
   * page but ours.
   */
  isFromHere({ headers, socket }: IncomingMessage): boolean {
    const { host = "", origin } = headers;
    const isOurName = OUR_NAMES.some((name) => host === `${name}:${socket.localPort}`);
    return isOurName && (origin === undefined || origin === `http://${host}`);
  }

  /** Which addresses it accepts, in words for a client that named another one. They contain nothing that is not in every request. */
  describeAddresses({ socket }: IncomingMessage): string {
    const port = socket.localPort;
    const addresses = OUR_NAMES.map((name) => `http://${name}:${port}`).join(" or ");
    return (
      `foldspace can only be opened as ${addresses}, and only by its own pages. ` +
      `If the port is forwarded from another machine, it must have the same number on both, as with: ssh -L ${port}:127.0.0.1:${port}`
    );
  }

  /** Begins the proof with a client whose request {@link isFromHere}. */
  beginProof({ headers }: IncomingMessage): ServerProof {
    return new ServerProof(this.#token, headers.host ?? "");
  }
}
