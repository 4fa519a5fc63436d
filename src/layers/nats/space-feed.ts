import { FoldspaceError, toFoldspaceError, type Problem } from "../../errors.ts";
import type { Clock } from "../../clock.ts";
import { Mutex } from "../../mutex.ts";
import type { Trace } from "../../trace.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import type { LinkConnection } from "./link-connection.ts";
import { FROM, MESSAGE_ID, type MessageCodec } from "./message-codec.ts";
import { PeerOwners } from "./peer-owners.ts";
import { readFirst, readStored, StreamReader, type ReaderOptions, type StreamMessage } from "./stream-reader.ts";
import type { SpaceSubjects } from "./subjects.ts";
import { TreeFeed } from "./tree-feed.ts";

export interface SpaceFeedOptions {
  readonly subjects: SpaceSubjects;
  readonly codec: MessageCodec;
  readonly session: string;
  readonly inboxPrefix: string;
  readonly clock: Clock;
  readonly trace: Trace | undefined;
  /** Why the link has no connection at present: newer than why the former connection ended. */
  readonly failure: () => FoldspaceError | undefined;
  readonly onProblems: (treeId: string, problems: readonly Problem[], isAll: boolean) => void;
  /** Stored messages were lost: the server was reset, or its administrator removed the space. */
  readonly onLoss: () => void;
}

/**
 * Follows a space on a server: one reader brings each message that comes, and others read what is stored, tree by tree. All
 * reading continues behind the last message that was taken, also on a new connection, so that nothing is missed or comes twice.
 */
export class SpaceFeed {
  readonly owners: PeerOwners = new PeerOwners();
  readonly #options: SpaceFeedOptions;
  readonly #trees = new Map<string, TreeFeed>();
  /** Messages that came are handled one after another. */
  readonly #incoming = new Mutex();
  #connection: LinkConnection | undefined;
  #reader: StreamReader | undefined;
  /** Sequence up to which all messages of the space have come; `undefined` before the first connection. */
  #followed: number | undefined;
  /** The latest message that was seen. If the stream no longer has it, messages were lost. */
  #latest: { readonly sequence: number; readonly subject: string; readonly id: string } | undefined;
  #listener: ((change: IncomingChange) => void) | undefined;
  /** Changes to report to the next listener: trees that are not followed, or that were lost. */
  readonly #unheard = new Map<string, IncomingChange>();

  constructor(options: SpaceFeedOptions) {
    this.#options = options;
  }

  /** Continues on a new connection. @throws FoldspaceError */
  async attach(connection: LinkConnection): Promise<void> {
    this.#connection = connection;
    await this.#checkLoss(connection);
    const from = this.#followed === undefined ? "new" : this.#followed + 1;
    const reader = await StreamReader.open(connection, this.#reading(this.#options.subjects.all, from), {
      onMessage: (message) => this.#inBackground(this.#incoming.run(async () => this.#handle(message))),
      onFailure: (error) => void this.#onReaderFailure(connection, error),
    });
    this.#reader = reader;
    if (from === "new") this.#followed = Math.max(this.#followed ?? 0, reader.end);
    // trees that could not be read on the former connection
    for (const tree of this.#trees.values()) if (tree.isUnread) this.#inBackground(tree.readOn());
  }

  close(): void {
    this.#reader?.close();
    this.#listener = undefined;
  }

  /** Ids of the trees of which messages are stored. */
  async listTrees(): Promise<string[]> {
    const treeIds = new Set<string>();
    const { subjects } = this.#options;
    const reading = { ...this.#reading(subjects.all, "last of each subject"), headersOnly: true };
    await readStored(this.#current, reading, ({ subject }) => {
      const treeId = subjects.parse(subject)?.treeId;
      if (treeId !== undefined) treeIds.add(treeId);
    });
    return [...treeIds].sort();
  }

  /** Reads all operations of a tree, and follows it. */
  async load(treeId: string): Promise<VertexOperation[]> {
    let tree = this.#trees.get(treeId);
    if (!tree) this.#trees.set(treeId, (tree = this.#newTree(treeId)));
    const ops = await tree.load();
    this.#options.trace?.emit("read", { treeId, ops });
    return ops;
  }

  release(treeId: string): void {
    this.#trees.delete(treeId);
  }

  async rescanTree(treeId: string): Promise<void> {
    if (this.#listener) await this.#trees.get(treeId)?.readOn();
  }

  /** Reads what has come without having been noticed, and notices losses. */
  async rescan(): Promise<void> {
    const connection = this.#current;
    await this.#checkLoss(connection);
    const missed: StreamMessage[] = [];
    const reading = this.#reading(this.#options.subjects.all, (this.#followed ?? 0) + 1);
    await readStored(connection, reading, (message) => void missed.push(message));
    for (const message of missed) await this.#incoming.run(async () => this.#handle(message));
    for (const tree of this.#trees.values()) await tree.deliverLate();
  }

  async listen(listener: (change: IncomingChange) => void): Promise<void> {
    this.#listener = listener;
    const unheard = [...this.#unheard.values()];
    this.#unheard.clear();
    for (const change of unheard) listener(change);
    for (const tree of this.#trees.values()) await tree.deliverLate();
  }

  stopListening(): void {
    this.#listener = undefined;
  }

  async #handle(message: StreamMessage): Promise<void> {
    if (message.sequence <= (this.#followed ?? 0)) return;
    const { subjects, session, trace } = this.#options;
    const place = subjects.parse(message.subject);
    if (place && place.treeId === undefined) await this.#noteClaim(message);
    // the next claim must be known before the next message is judged, but trees need not wait for each other
    this.#followed = message.sequence;
    this.#noteSeen(message);
    if (place?.treeId === undefined) return;
    const tree = this.#trees.get(place.treeId);
    const isOwn = message.header(FROM) === session;
    if (!isOwn) trace?.emit("hint", { treeId: place.treeId });
    if (tree) this.#inBackground(tree.take(message));
    else if (!isOwn) this.#report({ treeId: place.treeId, ops: undefined });
  }

  #newTree(treeId: string): TreeFeed {
    const { subjects, session, codec, onProblems, trace } = this.#options;
    return new TreeFeed({
      treeId,
      stream: subjects.stream,
      session,
      codec,
      owners: this.owners,
      writerOf: ({ subject }) => subjects.parse(subject)?.writer ?? "",
      knowClaims: async (sequence) => this.knowClaims(sequence),
      readFrom: async (sequence) => {
        const messages: StreamMessage[] = [];
        await readStored(this.#current, this.#reading(subjects.tree(treeId), sequence), (message) => void messages.push(message));
        const last = messages.at(-1);
        if (last) this.#noteSeen(last);
        return messages;
      },
      deliver: (ops) => {
        if (!this.#listener) return false;
        trace?.emit("read", { treeId, ops });
        this.#listener({ treeId, ops });
        return true;
      },
      report: (problems, isAll) => onProblems(treeId, problems, isAll),
    });
  }

  /** Makes sure that all claims up to a sequence are known. Those that come are noted, but stored ones are only read if needed. */
  async knowClaims(sequence: number): Promise<void> {
    const { knownTo } = this.owners;
    if (sequence <= (knownTo === 0 ? 0 : Math.max(knownTo, this.#followed ?? 0))) return;
    const claims: StreamMessage[] = [];
    const reading = this.#reading(this.#options.subjects.claims, 1);
    await readStored(this.#current, reading, (message) => void claims.push(message));
    for (const claim of claims) await this.#noteClaim(claim);
    this.owners.knownTo = Math.max(this.owners.knownTo, sequence);
  }

  async #noteClaim(message: StreamMessage): Promise<void> {
    const { codec, subjects } = this.#options;
    const writer = subjects.parse(message.subject)?.writer;
    if (writer === undefined) return;
    try {
      const { peerId } = await codec.decode(undefined, message, message.data);
      this.owners.note(peerId, writer, message.sequence);
    } catch (error) {
      const { code, message: reason } = toFoldspaceError(error);
      const file = `${subjects.stream}/${message.sequence}`;
      this.#options.onProblems("", [{ code, reason: `a device claims a peer, and ${reason}`, file }], false);
    }
  }

  #noteSeen({ sequence, subject, header }: StreamMessage): void {
    if (sequence > (this.#latest?.sequence ?? 0)) this.#latest = { sequence, subject, id: header(MESSAGE_ID) };
  }

  /** Numbers of messages begin anew after a reset, so that the latest message itself is compared. */
  async #checkLoss(connection: LinkConnection): Promise<void> {
    const latest = this.#latest;
    if (!latest) return;
    const reading = { ...this.#reading(latest.subject, latest.sequence), headersOnly: true };
    const stored = await readFirst(connection, reading);
    if (stored?.sequence === latest.sequence && stored.header(MESSAGE_ID) === latest.id) return;
    await this.#incoming.run(async () => {
      this.#reader?.close();
      this.#latest = this.#followed = undefined;
      this.owners.clear();
    });
    this.#options.onLoss();
    for (const [treeId, tree] of this.#trees) {
      await tree.forget();
      this.#report({ treeId, ops: undefined, isLossy: true });
    }
  }

  #report(change: IncomingChange): void {
    if (this.#listener) this.#listener(change);
    else if (!this.#unheard.get(change.treeId)?.isLossy) this.#unheard.set(change.treeId, change);
  }

  /** A new connection is the remedy for everything that can be wrong with the old one. */
  async #onReaderFailure(connection: LinkConnection, error: FoldspaceError): Promise<void> {
    if (!connection.isClosed) await connection.close(error);
  }

  /** Reading fails only with its connection: the next one brings what is missing. */
  #inBackground(reading: Promise<void>): void {
    reading.catch((error: unknown) => this.#connection?.close(toFoldspaceError(error)));
  }

  /** The present connection. @throws FoldspaceError why it is missing */
  get #current(): LinkConnection {
    const connection = this.#connection;
    if (connection && !connection.isClosed) return connection;
    throw (
      this.#options.failure() ?? connection?.reason ?? new FoldspaceError("FOLD_CLOSED", "The server has not been connected to")
    );
  }

  #reading(subject: string, from: ReaderOptions["from"]): ReaderOptions {
    const { subjects, inboxPrefix, clock } = this.#options;
    return { stream: subjects.stream, subject, from, inboxPrefix, clock };
  }
}
