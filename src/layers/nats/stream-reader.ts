import type { Msg, Subscription } from "@nats-io/nats-core";
import type { Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../../errors.ts";
import { randomId } from "../../random-id.ts";
import type { LinkConnection } from "./link-connection.ts";

/** How often an idle server says that it is still there. */
const HEARTBEAT_MS = 2_000;
/** A reader counts as failed after this time without a sign of the server. */
const SILENCE_MS = 8_000;
const NANOSECONDS_PER_MS = 1_000_000;
/** Status of messages that are not stored ones. */
const CONTROL = 100;

/** A message as a stream keeps it. */
export interface StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** @returns the empty string for a header that the message lacks */
  readonly header: (name: string) => string;
}

export interface ReaderOptions {
  readonly stream: string;
  /** Subject of the messages, which may have wildcards. */
  readonly subject: string;
  /** Sequence of the first wanted message. */
  readonly from: number | "new" | "last of each subject";
  readonly headersOnly?: boolean;
  readonly inboxPrefix: string;
  readonly clock: Clock;
}

export interface ReaderListener {
  /** @param left number of stored messages that come after this one */
  readonly onMessage: (message: StreamMessage, left: number) => void;
  /** For a while, the server has had nothing to send. */
  readonly onIdle?: () => void;
  /** No more messages come. */
  readonly onFailure: (error: FoldspaceError) => void;
}

interface ConsumerAnswer {
  readonly num_pending?: number;
  readonly delivered?: { readonly stream_seq?: number };
}

/** Reads messages of a stream in order, those stored and those that come, until it is closed or fails. Nothing is left out. */
export class StreamReader {
  readonly #connection: LinkConnection;
  readonly #options: ReaderOptions;
  readonly #listener: ReaderListener;
  #subscription: Subscription | undefined;
  #endObserving: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #delivered = 0;
  #lastSignMs: number;
  #isClosed = false;
  /** Number of wanted messages that were stored when the reader was opened. */
  stored = 0;
  /** Sequence of the stream's last message when a reader of new messages was opened. */
  end = 0;

  private constructor(connection: LinkConnection, options: ReaderOptions, listener: ReaderListener) {
    this.#connection = connection;
    this.#options = options;
    this.#listener = listener;
    this.#lastSignMs = options.clock.now();
  }

  /** @throws FoldspaceError `FOLD_NOT_FOUND` if the server lacks the stream, `FOLD_PERMISSION`, `FOLD_UNAVAILABLE` */
  static async open(connection: LinkConnection, options: ReaderOptions, listener: ReaderListener): Promise<StreamReader> {
    const reader = new StreamReader(connection, options, listener);
    try {
      await reader.#open();
    } catch (error) {
      reader.close();
      throw error;
    }
    return reader;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelCheck?.();
    this.#endObserving?.();
    // the server removes a consumer soon after the last interest in it
    if (!this.#connection.isClosed) this.#subscription?.unsubscribe();
  }

  async #open(): Promise<void> {
    const { stream, subject, from, headersOnly, inboxPrefix } = this.#options;
    const name = randomId();
    const inbox = `${inboxPrefix}.${name}`;
    this.#endObserving = this.#connection.onClosed(() => this.#fail(this.#connection.reason));
    this.#subscription = this.#connection.subscribe(inbox, (error, message) => {
      if (error) this.#fail(toFoldspaceError(error));
      else this.#receive(message);
    });
    const config = {
      name,
      deliver_subject: inbox,
      filter_subject: subject,
      ...startOf(from),
      ...(headersOnly ? { headers_only: true } : {}),
      ack_policy: "none",
      max_deliver: 1,
      flow_control: true,
      idle_heartbeat: HEARTBEAT_MS * NANOSECONDS_PER_MS,
      mem_storage: true,
      num_replicas: 1,
    };
    // with the subject of the messages in its own subject, so that a server's permissions can tell the spaces apart
    const answer = await this.#connection.call<ConsumerAnswer>(
      `$JS.API.CONSUMER.CREATE.${stream}.${name}.${subject}`,
      { stream_name: stream, config },
      `The stream ${stream} could not be read`,
    );
    this.stored = answer.num_pending ?? 0;
    this.end = answer.delivered?.stream_seq ?? 0;
    this.#checkLater();
  }

  #receive(message: Msg): void {
    if (this.#isClosed) return;
    this.#lastSignMs = this.#options.clock.now();
    if (message.headers?.code === CONTROL && message.data.length === 0) {
      this.#control(message);
      return;
    }
    const place = parsePlace(message.reply ?? "");
    if (!place || place.delivery !== this.#delivered + 1) {
      this.#fail(new FoldspaceError("FOLD_BUSY", `Messages of the stream ${this.#options.stream} were lost on their way`));
      return;
    }
    this.#delivered = place.delivery;
    const { subject, data, headers } = message;
    const stored = { sequence: place.sequence, subject, data, header: (name: string) => headers?.get(name) ?? "" };
    this.#listener.onMessage(stored, place.left);
  }

  /** Answers a server that waits until this reader has everything, and checks a sign of life. */
  #control({ reply, headers }: Msg): void {
    const stalled = headers?.get("Nats-Consumer-Stalled");
    if (reply) this.#connection.publish(reply);
    else if (stalled) this.#connection.publish(stalled);
    else if (Number(headers?.get("Nats-Last-Consumer")) > this.#delivered)
      this.#fail(new FoldspaceError("FOLD_BUSY", `Messages of the stream ${this.#options.stream} were lost on their way`));
    else this.#listener.onIdle?.();
  }

  #checkLater(): void {
    if (this.#isClosed) return;
    const { clock, stream } = this.#options;
    this.#cancelCheck = clock.schedule(HEARTBEAT_MS, () => {
      if (clock.now() - this.#lastSignMs < SILENCE_MS) this.#checkLater();
      else this.#fail(new FoldspaceError("FOLD_BUSY", `The server has fallen silent while the stream ${stream} was read`));
    });
  }

  #fail(error: FoldspaceError): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.onFailure(error);
  }
}

/**
 * Reads the messages that are stored now.
 * @param onMessage returns `false` to end the reading early
 * @throws FoldspaceError `FOLD_BUSY` if the server falls silent, and the errors of {@link StreamReader.open}
 */
export async function readStored(
  connection: LinkConnection,
  options: ReaderOptions,
  onMessage: (message: StreamMessage) => boolean | void,
): Promise<void> {
  let onEnd: () => void = () => undefined;
  let onFailure: (error: FoldspaceError) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    onEnd = resolve;
    onFailure = reject;
  });
  // the failure may come before `open` has returned
  ended.catch(() => undefined);
  let isOver = false;
  let idleTimes = 0;
  const reader = await StreamReader.open(connection, options, {
    onMessage(message, left) {
      // a message that was stored after the reader was opened
      if (isOver) return;
      idleTimes = 0;
      isOver = onMessage(message) === false || left === 0;
      if (isOver) onEnd();
    },
    onIdle() {
      // messages were removed before they came
      if (++idleTimes > 1)
        onFailure(new FoldspaceError("FOLD_BUSY", `The stream ${options.stream} was changed while it was read`));
    },
    onFailure,
  });
  try {
    if (reader.stored > 0) await ended;
  } finally {
    isOver = true;
    reader.close();
  }
}

/** Reads the first of the messages that are stored now. @throws as {@link readStored} */
export async function readFirst(connection: LinkConnection, options: ReaderOptions): Promise<StreamMessage | undefined> {
  let first: StreamMessage | undefined;
  await readStored(connection, options, (message) => {
    first ??= message;
    return false;
  });
  return first;
}

function startOf(from: ReaderOptions["from"]): Record<string, unknown> {
  if (from === "new") return { deliver_policy: "new" };
  if (from === "last of each subject") return { deliver_policy: "last_per_subject" };
  return from <= 1 ? { deliver_policy: "all" } : { deliver_policy: "by_start_sequence", opt_start_seq: from };
}

interface Place {
  /** In the stream. */
  readonly sequence: number;
  /** Counts the deliveries of this reader. */
  readonly delivery: number;
  readonly left: number;
}

/**
 * Parses the reply subject of a delivery: `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<delivery>.<time>.<left>`. Servers
 * may put a domain and the hash of an account before the stream, and a random token at the end.
 */
function parsePlace(reply: string): Place | undefined {
  const tokens = reply.split(".");
  const at = tokens.length >= 11 ? 7 : 5;
  if (tokens.length < 9 || tokens[1] !== "ACK") return undefined;
  return { sequence: Number(tokens[at]), delivery: Number(tokens[at + 1]), left: Number(tokens[at + 3]) };
}
