import { mapLimit } from "../../map-limit.ts";
import { randomId } from "../../random-id.ts";
import { Semaphore } from "../../semaphore.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { LinkConnection, StoreAnswer } from "./link-connection.ts";
import type { MessageCodec, Outgoing } from "./message-codec.ts";
import { ANYONE, type SpaceSubjects } from "./subjects.ts";

/** Messages that are on their way at once. */
const MAX_IN_FLIGHT = 64;

export interface PublisherOptions {
  readonly subjects: SpaceSubjects;
  readonly codec: MessageCodec;
  readonly session: string;
  /** Name of the device; {@link ANYONE} if it has none. */
  readonly writer: string;
  /** A claim of a peer is stored. @param sequence of the claim */
  readonly onClaimed: (peerId: string, sequence: number) => Promise<void>;
}

/** Publishes operations, and before the first ones of a peer of this device, that the peer belongs to the device. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #inFlight = new Semaphore(MAX_IN_FLIGHT);
  readonly #claims = new Map<string, Promise<void>>();
  #salt = "";
  #peerId: string;

  /** @param peerId of the running instance */
  constructor(peerId: string, options: PublisherOptions) {
    this.#peerId = peerId;
    this.#options = options;
  }

  /** Continues as another peer. */
  changePeer(peerId: string): void {
    this.#peerId = peerId;
  }

  /** The server may still take repeated messages for duplicates, although it has lost them. */
  forgetStored(): void {
    this.#salt = `${randomId()}/`;
    this.#claims.clear();
  }

  /** @returns when the operations are stored @throws FoldspaceError why some are not */
  async publish(connection: LinkConnection, treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const { subjects, codec, session, writer } = this.#options;
    if (writer !== ANYONE && ops.some((op) => op.id.peerId === this.#peerId)) await this.#claim(connection, this.#peerId);
    const messages = await codec.encode(treeId, ops, { session, salt: this.#idSalt, maxBytes: connection.maxBodyBytes });
    const subject = subjects.operations(treeId, writer);
    await mapLimit(MAX_IN_FLIGHT, messages, async (message) => this.#store(connection, subject, message));
  }

  /** With the writer: readers may not take the same operations from another one. */
  get #idSalt(): string {
    return `${this.#options.writer}/${this.#salt}`;
  }

  /** Claims a peer once. A failure is tried again with the next operations. */
  async #claim(connection: LinkConnection, peerId: string): Promise<void> {
    const { subjects, codec, session, writer, onClaimed } = this.#options;
    let claiming = this.#claims.get(peerId);
    if (!claiming) {
      claiming = codec
        .encodeClaim(peerId, session, this.#idSalt)
        .then(async (message) => this.#store(connection, subjects.claim(writer), message))
        .then(async ({ seq }) => onClaimed(peerId, seq));
      this.#claims.set(peerId, claiming);
    }
    try {
      await claiming;
    } catch (error) {
      if (this.#claims.get(peerId) === claiming) this.#claims.delete(peerId);
      throw error;
    }
  }

  async #store(connection: LinkConnection, subject: string, { body, headers }: Outgoing): Promise<StoreAnswer> {
    return await this.#inFlight.run(async () => connection.store(subject, body, headers));
  }
}
