import { toFoldspaceError, type Problem } from "../../errors.ts";
import { IdPool } from "../../log/line.ts";
import { LogParser } from "../../log/parser.ts";
import { Mutex } from "../../mutex.ts";
import { TimeSlicer } from "../../time-slicer.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { FROM, type MessageCodec, type PeerLines } from "./message-codec.ts";
import { Parts } from "./parts.ts";
import type { PeerOwners } from "./peer-owners.ts";
import type { StreamMessage } from "./stream-reader.ts";

/** Takes a slice of this many bytes before other tasks get a turn. */
const SLICE_BYTES = 32 * 1024;

export interface TreeFeedOptions {
  readonly treeId: string;
  readonly stream: string;
  readonly session: string;
  readonly codec: MessageCodec;
  readonly owners: PeerOwners;
  readonly writerOf: (message: StreamMessage) => string;
  /** Makes sure that all claims up to a sequence are known. */
  readonly knowClaims: (sequence: number) => Promise<void>;
  /** Reads the tree's stored messages from a sequence on. */
  readonly readFrom: (sequence: number) => Promise<StreamMessage[]>;
  /** Hands operations to the listener. @returns whether there is one */
  readonly deliver: (ops: readonly VertexOperation[]) => boolean;
  /** Takes problems: of all messages of the tree, or more of them. */
  readonly report: (problems: readonly Problem[], isAll: boolean) => void;
}

/** A tree that is followed: what has been read of it, in the order of the stream, and what has not been delivered yet. */
export class TreeFeed {
  readonly #options: TreeFeedOptions;
  readonly #mutex = new Mutex();
  readonly #parts = new Parts();
  /** Sequence up to which messages have been taken; `undefined` if the stored ones have not been read. */
  #position: number | undefined;
  /** Operations that arrived while the layer had no listener. */
  #undelivered: VertexOperation[] = [];

  constructor(options: TreeFeedOptions) {
    this.#options = options;
  }

  /** Whether the stored messages could not be read, or no longer count. */
  get isUnread(): boolean {
    return this.#position === undefined;
  }

  /** Reads all stored operations. */
  async load(): Promise<VertexOperation[]> {
    return await this.#mutex.run(async () => {
      this.#forget();
      const messages = await this.#options.readFrom(1);
      const { ops, problems } = await this.#decode(messages);
      this.#position = messages.at(-1)?.sequence ?? 0;
      this.#options.report(problems, true);
      return ops;
    });
  }

  /** Reads and delivers what has been stored since. */
  async readOn(): Promise<void> {
    await this.#mutex.run(async () => this.#readOn());
  }

  /** Takes a message that came by itself. */
  async take(message: StreamMessage): Promise<void> {
    await this.#mutex.run(async () => {
      if (this.#position === undefined) await this.#readOn();
      else if (message.sequence > this.#position) await this.#deliver([message]);
    });
  }

  /** Delivers what arrived while the layer had no listener. */
  async deliverLate(): Promise<void> {
    await this.#mutex.run(async () => this.#flush());
  }

  /** Forgets everything, because stored messages were lost. */
  async forget(): Promise<void> {
    await this.#mutex.run(async () => this.#forget());
  }

  async #readOn(): Promise<void> {
    await this.#deliver(await this.#options.readFrom((this.#position ?? 0) + 1));
    this.#position ??= 0;
  }

  #forget(): void {
    this.#position = undefined;
    this.#undelivered = [];
    this.#parts.clear();
  }

  async #deliver(messages: readonly StreamMessage[]): Promise<void> {
    // what this session published is known here
    const others = messages.filter((message) => message.header(FROM) !== this.#options.session);
    try {
      const { ops, problems } = await this.#decode(others);
      this.#position = messages.at(-1)?.sequence ?? this.#position;
      for (const op of ops) this.#undelivered.push(op);
      if (problems.length > 0) this.#options.report(problems, false);
    } catch (error) {
      // the messages could not be judged: the next reading begins anew, and brings them
      this.#forget();
      throw error;
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#undelivered.length > 0 && this.#options.deliver(this.#undelivered)) this.#undelivered = [];
  }

  /**
   * Parses messages in time slices that let other tasks run. No content makes it throw.
   * @throws FoldspaceError why it could not be found out who owns a peer
   */
  async #decode(messages: readonly StreamMessage[]): Promise<{ ops: VertexOperation[]; problems: Problem[] }> {
    const ops: VertexOperation[] = [];
    const problems: Problem[] = [];
    const ids = new IdPool();
    const slicer = new TimeSlicer();
    for (const message of messages) {
      const file = `${this.#options.stream}/${message.sequence}`;
      const report = (problem: Problem): void => void problems.push({ ...problem, file, treeId: this.#options.treeId });
      const found = await this.#open(message, report);
      if (!found || !(await this.#isPermitted(found.peerId, message, report))) continue;
      const parser = new LogParser({ peerId: found.peerId, ids });
      for (let start = 0; start < found.lines.length; start += SLICE_BYTES) {
        parser.push(found.lines.subarray(start, start + SLICE_BYTES));
        if (slicer.isDue) await slicer.yieldToEventLoop();
      }
      parser.end();
      for (const op of parser.ops) ops.push(op);
      for (const problem of parser.problems) report(problem);
    }
    return { ops, problems };
  }

  /** @returns `undefined` if the message completes nothing, or cannot be opened */
  async #open(message: StreamMessage, report: (problem: Problem) => void): Promise<PeerLines | undefined> {
    const { codec, writerOf, treeId } = this.#options;
    try {
      const part = codec.partOf(message);
      const body = part ? this.#parts.add(writerOf(message), part, message.data) : message.data;
      return body && (await codec.decode(treeId, message, body));
    } catch (error) {
      const { code, message: reason } = toFoldspaceError(error);
      report({ code, reason });
      return undefined;
    }
  }

  /** Whether the writer of a message may publish operations of a peer. */
  async #isPermitted(peerId: string, message: StreamMessage, report: (problem: Problem) => void): Promise<boolean> {
    const { owners, writerOf, knowClaims } = this.#options;
    const writer = writerOf(message);
    if (owners.ownerOf(peerId) === undefined) await knowClaims(message.sequence);
    const owner = owners.forbids(peerId, writer, message.sequence);
    if (owner === undefined) return true;
    const reason =
      `the device ${writer} published operations of the peer ${peerId}, which belongs to the device ${owner}; ` +
      "they were not taken";
    report({ code: "FOLD_PERMISSION", reason });
    return false;
  }
}
