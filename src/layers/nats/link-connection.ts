import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Clock } from "../../clock.ts";
import { FoldspaceError } from "../../errors.ts";
import { completesInTime } from "../../with-timeout.ts";
import type { NatsClient } from "./client.ts";
import { fromApiError, fromClientError, isWithoutResponders, type ApiError } from "./failures.ts";

/** Longest wait for an answer. A dead link is noticed sooner, by the client's pings. */
const ANSWER_MS = 10_000;
/** Room for the headers of a message, which count towards the server's limit. */
const HEADER_BYTES = 4 * 1024;

/** The answer to a message that a stream has stored. */
export interface StoreAnswer {
  readonly seq: number;
  readonly duplicate?: boolean;
}

/** Longest wait until the platform has closed a connection that is no longer used. */
const CLOSE_MS = 1_000;

/** One connection to a server, from its making until it ends. It is never restored: a new one takes its place. */
export class LinkConnection {
  readonly #client: NatsClient;
  readonly #nats: NatsConnection;
  readonly #label: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #reason: FoldspaceError | undefined;

  /** @param label the server in words, as part of a sentence */
  constructor(client: NatsClient, nats: NatsConnection, label: string, clock: Clock) {
    this.#client = client;
    this.#nats = nats;
    this.#label = label;
    this.#clock = clock;
    void nats.closed().then((reason) => this.#end(reason ?? new Error("the connection was closed")));
    void this.#watch();
  }

  /** Name that all servers of a cluster share, and that of a single server. */
  get serverName(): string | undefined {
    return this.#nats.info?.cluster ?? this.#nats.info?.server_name;
  }

  /** Largest body of one message, in bytes. */
  get maxBodyBytes(): number {
    return (this.#nats.info?.max_payload ?? 1024 * 1024) - HEADER_BYTES;
  }

  get isClosed(): boolean {
    return this.#reason !== undefined;
  }

  /** Why the connection has ended. */
  get reason(): FoldspaceError {
    return this.#reason ?? new FoldspaceError("FOLD_CLOSED", `The connection to ${this.#label} was closed`);
  }

  /** Calls a function once when the connection has ended. @returns a function that prevents it */
  onClosed(listener: () => void): () => void {
    if (this.isClosed) listener();
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param why the connection cannot be used any longer; default: it is no longer needed */
  async close(why: FoldspaceError = this.reason): Promise<void> {
    this.#end(why);
    await completesInTime(this.#nats.close(), CLOSE_MS, this.#clock);
  }

  /**
   * Calls JetStream's interface.
   * @param doing what is being done, as the beginning of a sentence about its failure
   * @throws FoldspaceError
   */
  async call<Answer>(subject: string, body: unknown, doing: string): Promise<Answer> {
    return await this.#request<Answer>(subject, new TextEncoder().encode(JSON.stringify(body)), {}, doing, "FOLD_UNAVAILABLE");
  }

  /**
   * Has a stream store a message.
   * @returns when it is stored
   * @throws FoldspaceError `FOLD_NOT_FOUND` if no stream takes it
   */
  async store(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<StoreAnswer> {
    const doing = `${this.#label} has not stored a message`;
    return await this.#request<StoreAnswer>(subject, body, headers, doing, "FOLD_NOT_FOUND");
  }

  async #request<Answer>(
    subject: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    doing: string,
    unanswered: "FOLD_UNAVAILABLE" | "FOLD_NOT_FOUND",
  ): Promise<Answer> {
    if (this.isClosed) throw this.reason;
    let data: Uint8Array;
    try {
      const request = this.#nats.request(subject, body, { timeout: ANSWER_MS, headers: this.#client.headers(headers) });
      ({ data } = await this.#untilClosed(request));
    } catch (error) {
      if (isWithoutResponders(error))
        throw new FoldspaceError(unanswered, `${doing}: nothing takes messages for ${subject}`, { cause: error });
      throw fromClientError(error, doing);
    }
    const answer = JSON.parse(new TextDecoder().decode(data)) as Answer & { readonly error?: ApiError };
    if (answer.error) throw fromApiError(answer.error, doing);
    return answer;
  }

  subscribe(subject: string, callback: (error: Error | null, message: Msg) => void): Subscription {
    return this.#nats.subscribe(subject, { callback });
  }

  /** Publishes an empty message, without an answer. */
  publish(subject: string): void {
    if (!this.isClosed) this.#nats.publish(subject);
  }

  /** Waits for an answer until the connection ends: the client itself would wait until its time limit. */
  async #untilClosed<T>(answer: Promise<T>): Promise<T> {
    let endObserving: (() => void) | undefined;
    const closed = new Promise<never>((_, reject) => (endObserving = this.onClosed(() => reject(this.reason))));
    try {
      return await Promise.race([answer, closed]);
    } finally {
      endObserving?.();
    }
  }

  /** A dead link counts as closed at once. The platform may need half a minute to close it, as the other side does not answer. */
  async #watch(): Promise<void> {
    for await (const { type } of this.#nats.status()) {
      if (type !== "staleConnection" && type !== "disconnect") continue;
      this.#end(new Error(type === "disconnect" ? "the connection was lost" : "the server no longer answers"));
      if (type === "staleConnection") await this.#nats.close();
    }
  }

  #end(why: Error): void {
    if (this.#reason) return;
    this.#reason = fromClientError(why, `${this.#label} cannot be reached`);
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }
}
