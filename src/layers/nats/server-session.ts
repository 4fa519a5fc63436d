import type { Clock } from "../../clock.ts";
import { errorCode, type FoldspaceError, type Problem } from "../../errors.ts";
import type { Observable } from "../../observable.ts";
import { randomId } from "../../random-id.ts";
import type { Trace } from "../../trace.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { SecretsUpdate, StoredSecrets } from "../persistence-layer.ts";
import { NatsLink } from "./link.ts";
import type { LinkConnection } from "./link-connection.ts";
import { MessageCodec } from "./message-codec.ts";
import type { NatsLayerOptions } from "./nats-options.ts";
import { Publisher } from "./publisher.ts";
import type { Sealing } from "./sealing.ts";
import { ServerSecrets } from "./server-secrets.ts";
import { SpaceFeed } from "./space-feed.ts";
import { withStream, type StreamLimits } from "./streams.ts";
import { ANYONE, type SpaceSubjects } from "./subjects.ts";

export interface ServerSessionOptions {
  readonly subjects: SpaceSubjects;
  readonly peerId: string;
  readonly sealing: Sealing | undefined;
  readonly layer: NatsLayerOptions;
  /** The servers in words, as part of a sentence. */
  readonly label: string;
  readonly clock: Clock;
  readonly trace: Trace | undefined;
  readonly isReadOnly: boolean;
  /** Whether to create streams that the server lacks. */
  readonly create: boolean;
  readonly onProblems: (treeId: string, problems: readonly Problem[], isAll: boolean) => void;
  readonly onSecretsChanged: () => void;
}

/** A connected layer's use of its servers, over as many connections as it takes. */
export class ServerSession {
  readonly feed: SpaceFeed;
  readonly #options: ServerSessionOptions;
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  readonly #secrets: ServerSecrets | undefined;
  readonly #writer: string;
  #hasBeenConnected = false;
  #place: string | undefined;

  constructor(spaceId: string, options: ServerSessionOptions) {
    const { layer, subjects, sealing, clock, trace, label, onProblems } = options;
    this.#options = options;
    this.#writer = layer.writer ?? ANYONE;
    const session = randomId();
    // a server's permissions can limit each device to the answers to its own requests
    const inboxPrefix = layer.writer === undefined ? "_INBOX" : `_INBOX_${layer.writer}`;
    const codec = new MessageCodec(spaceId, sealing);
    this.#publisher = new Publisher(options.peerId, {
      subjects,
      codec,
      session,
      writer: this.#writer,
      onClaimed: async (peerId, sequence) => this.#checkClaim(peerId, sequence),
    });
    this.feed = new SpaceFeed({
      subjects,
      codec,
      session,
      inboxPrefix: `${inboxPrefix}.${session}`,
      clock,
      trace,
      failure: () => this.failure.value,
      onProblems,
      onLoss: () => {
        this.#publisher.forgetStored();
        options.onSecretsChanged();
      },
    });
    const keepsPlain = layer.secrets === "all";
    const limits = (): StreamLimits | undefined => this.#limits;
    if (layer.secrets !== "none")
      this.#secrets = new ServerSecrets({
        subjects,
        session,
        inboxPrefix: `${inboxPrefix}.${session}`,
        clock,
        keepsPlain,
        limits,
      });
    this.#link = new NatsLink({
      servers: [layer.servers].flat(),
      credentials: layer.credentials,
      inboxPrefix,
      clock,
      label,
      establish: async (connection) => this.#establish(connection),
    });
  }

  /** Why there is no connection at present. */
  get failure(): Observable<FoldspaceError | undefined> {
    return this.#link.failure;
  }

  /** Identifies the server, by the name that it had when it was first reached. */
  get place(): string | undefined {
    return this.#place;
  }

  /** @throws FoldspaceError why the servers cannot be used */
  async open(): Promise<void> {
    await this.#link.open();
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.#link.close();
  }

  /** Continues as another peer. */
  changePeer(peerId: string): void {
    this.#publisher.changePeer(peerId);
  }

  async publish(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    await this.#publisher.publish(this.#link.connection, treeId, ops);
    this.#options.trace?.emit("saved", { treeId, ops });
  }

  /** Peers whose operations only other devices publish. */
  get peersOfOthers(): ReadonlySet<string> {
    return this.feed.owners.peersOfOthers(this.#writer);
  }

  /** Reads changes that were not noticed, and tries at once to reach a server that could not be reached. */
  async rescan(): Promise<void> {
    this.#link.retryNow();
    await this.feed.rescan();
  }

  async loadSecrets(): Promise<StoredSecrets | undefined> {
    return await this.#secrets?.load(this.#link.connection);
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#secrets?.save(this.#link.connection, update);
  }

  async #establish(connection: LinkConnection): Promise<void> {
    const { stream } = this.#options.subjects;
    await withStream(connection, stream, this.#limits, async () => this.feed.attach(connection));
    await this.#observeSecrets(connection);
    this.#place ??= connection.serverName;
    // they may have changed while there was no connection
    if (this.#hasBeenConnected) this.#options.onSecretsChanged();
    this.#hasBeenConnected = true;
  }

  async #observeSecrets(connection: LinkConnection): Promise<void> {
    try {
      const renew = (error: FoldspaceError): void => void (connection.isClosed || connection.close(error));
      await this.#secrets?.observe(connection, this.#options.onSecretsChanged, renew);
    } catch (error) {
      // the server keeps no secrets: loading and saving them says so
      if (errorCode(error) !== "FOLD_NOT_FOUND") throw error;
    }
  }

  /** How to create missing streams; `undefined` if they must not be created. */
  get #limits(): StreamLimits | undefined {
    const { layer, isReadOnly, create } = this.#options;
    // a server that was reset lacks the streams that it had
    const isWanted = !isReadOnly && (create || this.#hasBeenConnected);
    return isWanted && layer.createStreams !== false ? (layer.createStreams ?? {}) : undefined;
  }

  /** Another device may have claimed the peer before. */
  async #checkClaim(peerId: string, sequence: number): Promise<void> {
    await this.feed.knowClaims(sequence);
    const owner = this.feed.owners.ownerOf(peerId);
    if (owner === undefined || owner === this.#writer) return;
    const reason = `the peer ${peerId} of this device belongs to the device ${owner}: others do not take what this device publishes`;
    this.#options.onProblems("", [{ code: "FOLD_PEER_CLONED", reason }], false);
  }
}
