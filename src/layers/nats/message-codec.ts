import { concatBytes, LF, type Bytes } from "../../bytes.ts";
import { FoldspaceError } from "../../errors.ts";
import { encodeLine } from "../../log/line.ts";
import { randomId } from "../../random-id.ts";
import { toHex, utf8 } from "../../secrets/encoding.ts";
import { TimeSlicer } from "../../time-slicer.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { hasWebCrypto, webCrypto } from "../../web-crypto.ts";
import type { Sealing } from "./sealing.ts";
import type { StreamMessage } from "./stream-reader.ts";

/** Peer of the operations, encoded for a URL. Sealed messages contain it instead. */
const PEER = "Fold-Peer";
/** Session that published the message: to pass over one's own. */
export const FROM = "Fold-From";
/** For people who read a stream: counters of the operations, as `FIRST-LAST/COUNT`. */
const OPS = "Fold-Ops";
/** Of a body that is too long for one message: name of the body, number of the part from 0, and number of parts. */
const PART = "Fold-Part";
/** Version of the sealing; without this header, the body is readable. */
const SEALED = "Fold-Sealed";
/** Servers drop a message with an id that they have seen in the last two minutes. */
export const MESSAGE_ID = "Nats-Msg-Id";

const SEALING_VERSION = "1";
/** A body is closed once it has this many characters. */
const BODY_LENGTH = 128 * 1024;
const MAX_PARTS = 65_536;

/** A message to publish. */
export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The lines of one peer. */
export interface PeerLines {
  readonly peerId: string;
  readonly lines: Uint8Array;
}

export interface Part {
  readonly group: string;
  readonly index: number;
  readonly count: number;
}

/** Operations as messages of one peer each, and back. */
export class MessageCodec {
  readonly #spaceId: string;
  readonly #sealing: Sealing | undefined;

  constructor(spaceId: string, sealing: Sealing | undefined) {
    this.#spaceId = spaceId;
    this.#sealing = sealing;
  }

  /**
   * @param session as {@link FROM}
   * @param salt part of the messages' ids: changes once a server may have lost messages whose ids it remembers
   * @param maxBytes of one body
   */
  async encode(
    treeId: string,
    ops: readonly VertexOperation[],
    { session, salt, maxBytes }: { readonly session: string; readonly salt: string; readonly maxBytes: number },
  ): Promise<Outgoing[]> {
    const messages: Outgoing[] = [];
    const slicer = new TimeSlicer();
    const finish = async ({ peerId, text, first, last, count }: OpenBody): Promise<void> => {
      const counters = `${first}-${last}/${count}`;
      const options = { session, salt, maxBytes, counters };
      messages.push(...(await this.#encodeLines(treeId, { peerId, lines: utf8(text) }, options)));
    };
    const open = new Map<string, OpenBody>();
    for (const op of ops) {
      const { counter, peerId } = op.id;
      const body = open.get(peerId) ?? { peerId, text: "", first: counter, last: counter, count: 0 };
      open.set(peerId, body);
      body.text += `${encodeLine(op)}\n`;
      body.last = counter;
      body.count++;
      if (body.text.length < BODY_LENGTH) continue;
      open.delete(peerId);
      await finish(body);
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
    for (const body of open.values()) await finish(body);
    return messages;
  }

  /** The message by which a writer claims a peer. */
  async encodeClaim(peerId: string, session: string, salt: string): Promise<Outgoing> {
    const options = { session, salt, maxBytes: Infinity, counters: "0" };
    return (await this.#encodeLines(undefined, { peerId, lines: new Uint8Array() }, options))[0]!;
  }

  /** The part of a body that a message is, if it is one. @throws FoldspaceError `FOLD_BAD_RECORD` */
  partOf(message: StreamMessage): Part | undefined {
    const header = message.header(PART);
    if (header === "") return undefined;
    const [group = "", index, count] = header.split(" ");
    const part = { group, index: Number(index), count: Number(count) };
    if (Number.isInteger(part.count) && part.count <= MAX_PARTS && part.index >= 0 && part.index < part.count) return part;
    throw new FoldspaceError("FOLD_BAD_RECORD", "the message is a part of a body and does not say which");
  }

  /**
   * @param treeId `undefined` for a claim
   * @param message that has the headers
   * @param body of the message, or of all its parts together
   * @throws FoldspaceError `FOLD_BAD_RECORD`, `FOLD_SECRETS_LOCKED`
   */
  async decode(treeId: string | undefined, message: StreamMessage, body: Uint8Array): Promise<PeerLines> {
    const version = message.header(SEALED);
    if (version === "") return { peerId: peerOf(message), lines: body };
    if (version !== SEALING_VERSION)
      throw new FoldspaceError("FOLD_NEWER_FORMAT", "the message was sealed by a newer version of foldspace");
    const opened = await this.#sealing?.open(body, this.#place(treeId));
    if (!opened)
      throw new FoldspaceError("FOLD_SECRETS_LOCKED", "the message was sealed under a key that this device does not have");
    const end = opened.indexOf(LF);
    return { peerId: JSON.parse(new TextDecoder().decode(opened.subarray(0, end))) as string, lines: opened.subarray(end + 1) };
  }

  async #encodeLines(
    treeId: string | undefined,
    { peerId, lines }: PeerLines,
    options: { readonly session: string; readonly salt: string; readonly maxBytes: number; readonly counters: string },
  ): Promise<Outgoing[]> {
    const { session, salt, maxBytes, counters } = options;
    const place = this.#place(treeId);
    const named = concatBytes([utf8(`${JSON.stringify(peerId)}\n`), lines]);
    const id = `${salt}${await this.#identify(named, place)}`;
    const body = this.#sealing ? await this.#sealing.seal(named, place) : lines;
    const headers = this.#sealing
      ? { [FROM]: session, [SEALED]: SEALING_VERSION }
      : { [FROM]: session, [PEER]: encodeURIComponent(peerId), [OPS]: counters };
    if (body.length <= maxBytes) return [{ headers: { ...headers, [MESSAGE_ID]: id }, body }];
    const count = Math.ceil(body.length / maxBytes);
    return Array.from({ length: count }, (_, index) => ({
      headers: { ...headers, [PART]: `${id} ${index} ${count}`, [MESSAGE_ID]: `${id} ${index}` },
      body: body.subarray(index * maxBytes, (index + 1) * maxBytes),
    }));
  }

  /** Names a body by its content, so that a server notices that it has it. */
  async #identify(body: Bytes, place: string): Promise<string> {
    if (this.#sealing) return await this.#sealing.identify(body, place);
    // then the server keeps what is sent twice, which is harmless
    if (!hasWebCrypto()) return randomId();
    return toHex(new Uint8Array(await webCrypto().digest("SHA-256", concatBytes([utf8(`${place}\0`), body]))));
  }

  #place(treeId: string | undefined): string {
    return JSON.stringify(treeId === undefined ? [this.#spaceId] : [this.#spaceId, treeId]);
  }
}

/** A body to which operations are being added. */
interface OpenBody {
  readonly peerId: string;
  text: string;
  readonly first: number;
  last: number;
  count: number;
}

function peerOf(message: StreamMessage): string {
  try {
    const peerId = decodeURIComponent(message.header(PEER));
    if (peerId !== "") return peerId;
  } catch {
    // reported like a peer that is missing
  }
  throw new FoldspaceError("FOLD_BAD_RECORD", "the message does not say whose operations it contains");
}
