import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { FoldspaceError } from "../errors.ts";
import { TOKEN_PROTOCOL_PREFIX } from "../fs/bridge/protocol.ts";

const TOKEN_BYTES = 32;
/** 22 characters of this alphabet have 128 bits or more. */
const TOKEN = /^[\w-]{22,128}$/;

/** A token that nobody can guess. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** Who may ask this server for what. */
export class Access {
  readonly #tokenHash: Buffer;

  /** @throws FoldspaceError `FOLD_BAD_VALUE` for a token that is too short, or has other characters than base64url */
  constructor(token: string) {
    if (!TOKEN.test(token)) {
      throw new FoldspaceError("FOLD_BAD_VALUE", "The token needs 22 to 128 random characters out of A-Z, a-z, 0-9, _ and -");
    }
    this.#tokenHash = hash(token);
  }

  /**
   * Whether a request came to this machine under its own name, and not under one that somebody else lets point to it,
   * and from no page but ours.
   */
  isFromHere({ headers, socket }: IncomingMessage): boolean {
    const { host = "", origin } = headers;
    const isOurName = ["127.0.0.1", "localhost"].some((name) => host === `${name}:${socket.localPort}`);
    return isOurName && (origin === undefined || origin === `http://${host}`);
  }

  /** Whether the request carries the token as `Authorization: Bearer TOKEN`. */
  hasBearerToken({ headers }: IncomingMessage): boolean {
    const [scheme, token] = headers.authorization?.split(" ") ?? [];
    return scheme === "Bearer" && this.#isToken(token);
  }

  /** Whether one of the protocols that a WebSocket asks for is the token. */
  hasProtocolToken({ headers }: IncomingMessage): boolean {
    const protocols = headers["sec-websocket-protocol"]?.split(",") ?? [];
    const token = protocols.map((protocol) => protocol.trim()).find((protocol) => protocol.startsWith(TOKEN_PROTOCOL_PREFIX));
    return this.#isToken(token?.slice(TOKEN_PROTOCOL_PREFIX.length));
  }

  /** Takes the same time for every wrong token. */
  #isToken(token: string | undefined): boolean {
    return timingSafeEqual(hash(token ?? ""), this.#tokenHash);
  }
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
