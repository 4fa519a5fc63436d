import type { ExternalWriter } from "../../src/testing/file-system-fixture.ts";

/** Something that a page in the window asks the test in Node to do with files. */
export interface OutsideRequest {
  readonly id: number;
  readonly action: keyof ExternalWriter | "makeRoot";
  readonly args: readonly string[];
}

/** What became of a request. */
export interface OutsideAnswer {
  readonly id: number;
  readonly value?: string;
  readonly error?: string;
}

/** What became of a test in the window. */
export interface Outcome {
  readonly title: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why. */
  readonly reason?: string;
}

/** What the page has to say next. */
export type PageMessage = { readonly request: OutsideRequest } | { readonly outcomes: readonly Outcome[] };

/** The page's side: it is asked again and again for its next message, with the answer to the one before. */
export class OutsideRequests {
  readonly #messages: PageMessage[] = [];
  readonly #waiting: Map<number, (answer: OutsideAnswer) => void> = new Map();
  #onMessage: () => void = () => undefined;
  #lastId = 0;

  /** Has something done outside. */
  async ask(action: OutsideRequest["action"], ...args: readonly string[]): Promise<string> {
    const id = ++this.#lastId;
    this.send({ request: { id, action, args } });
    const { value, error } = await new Promise<OutsideAnswer>((resolve) => this.#waiting.set(id, resolve));
    if (error !== undefined) throw new Error(error);
    return value ?? "";
  }

  send(message: PageMessage): void {
    this.#messages.push(message);
    this.#onMessage();
  }

  async next(answer: OutsideAnswer | null): Promise<PageMessage> {
    if (answer) {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    }
    if (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#onMessage = resolve));
    return this.#messages.shift()!;
  }

  /** Hands of another program. */
  get hands(): ExternalWriter {
    const hand =
      (action: keyof ExternalWriter) =>
      async (...args: string[]): Promise<void> =>
        void (await this.ask(action, ...args));
    return {
      append: hand("append"),
      write: hand("write"),
      replace: hand("replace"),
      remove: hand("remove"),
      makeDirectory: hand("makeDirectory"),
      makeLink: hand("makeLink"),
    };
  }
}
