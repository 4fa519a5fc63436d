import { FoldspaceError } from "../../errors.ts";
import { MAX_SEALED_BYTES, MAX_SEALED_FILES } from "../../secrets/limits.ts";
import { applyChanges, encodeSecrets, parseSecrets, type SecretMap } from "../../secrets/secret-map.ts";
import type { StoredSealedFile } from "../../secrets/vault-file.ts";
import type { Clock } from "../../clock.ts";
import type { SecretsUpdate, StoredSecrets } from "../persistence-layer.ts";
import { WRONG_LAST_SEQUENCE } from "./failures.ts";
import type { LinkConnection } from "./link-connection.ts";
import { FROM } from "./message-codec.ts";
import { readStored, StreamReader, type ReaderOptions, type StreamMessage } from "./stream-reader.ts";
import { withStream, type StreamLimits } from "./streams.ts";
import { SECRETS_STREAM, type SpaceSubjects } from "./subjects.ts";

/** The server stores a message only if this is the sequence of the last one of its subject. */
const EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence";
/** Attempts to change secrets that other devices change at the same time. */
const MAX_ATTEMPTS = 20;

export interface ServerSecretsOptions {
  readonly subjects: SpaceSubjects;
  readonly session: string;
  readonly inboxPrefix: string;
  readonly clock: Clock;
  /** Whether secrets without a passphrase are kept, which the server can read. */
  readonly keepsPlain: boolean;
  /** How to create the stream if the server lacks it; `undefined` if it must not be created. */
  readonly limits: () => StreamLimits | undefined;
}

interface Found {
  readonly values: SecretMap;
  /** Sequence of the message with the values; 0 without such a message. */
  readonly valuesAt: number;
  readonly sealed: readonly StoredSealedFile[];
}

/** Secrets on a server: the latest message of each subject, one for the sealed file of each peer, and one for the plain ones. */
export class ServerSecrets {
  readonly #options: ServerSecretsOptions;

  constructor(options: ServerSecretsOptions) {
    this.#options = options;
  }

  /** @returns `undefined` if none were ever saved */
  async load(connection: LinkConnection): Promise<StoredSecrets | undefined> {
    const { values, valuesAt, sealed } = await this.#read(connection);
    return valuesAt === 0 && sealed.length === 0 ? undefined : { values, sealed };
  }

  /** @throws FoldspaceError `FOLD_SECRETS_PROTECTION` for secrets that the server could read, unless it may */
  async save(connection: LinkConnection, { sealed, changes, retired = [] }: SecretsUpdate): Promise<void> {
    const { subjects, keepsPlain } = this.#options;
    if (sealed) await this.#store(connection, subjects.sealedSecrets(sealed.peerId), sealed.text);
    if (changes.size > 0 && keepsPlain) await this.#change(connection, changes);
    if (retired.length > 0) {
      const stored = new Set((await this.#read(connection)).sealed.map(({ peerId }) => peerId));
      for (const peerId of retired) if (stored.has(peerId)) await this.#store(connection, subjects.sealedSecrets(peerId), "");
    }
    if (keepsPlain || ![...changes.values()].some(({ to }) => to !== undefined)) return;
    throw new FoldspaceError(
      "FOLD_SECRETS_PROTECTION",
      "Secrets without a passphrase are not kept on the server, because the server could read them",
    );
  }

  /**
   * Calls a function when another session has saved secrets.
   * @param onFailure called if this can no longer be noticed
   */
  async observe(connection: LinkConnection, onChange: () => void, onFailure: (error: FoldspaceError) => void): Promise<void> {
    const { session, limits } = this.#options;
    await withStream(connection, SECRETS_STREAM, limits(), async () =>
      StreamReader.open(connection, this.#reading("new"), {
        onMessage: (message) => {
          if (message.header(FROM) !== session) onChange();
        },
        onFailure,
      }),
    );
  }

  /** Changes the plain secrets, after all changes that other devices make at the same time. */
  async #change(connection: LinkConnection, changes: SecretsUpdate["changes"]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { values, valuesAt } = await this.#read(connection);
      const text = encodeSecrets(applyChanges(values, changes));
      try {
        await this.#store(connection, this.#options.subjects.plainSecrets, text, { [EXPECTED_LAST]: String(valuesAt) });
        return;
      } catch (error) {
        const isOutrun = error instanceof FoldspaceError && error.data["errCode"] === WRONG_LAST_SEQUENCE;
        if (!isOutrun || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #read(connection: LinkConnection): Promise<Found> {
    const { subjects, limits } = this.#options;
    const messages: StreamMessage[] = [];
    await withStream(connection, SECRETS_STREAM, limits(), async () =>
      readStored(connection, this.#reading("last of each subject"), (message) => void messages.push(message)),
    );
    let values: SecretMap = new Map();
    let valuesAt = 0;
    const sealed: StoredSealedFile[] = [];
    let bytes = 0;
    // the latest files, if there are too many
    for (const { subject, sequence, data } of messages.toReversed()) {
      const peerId = subjects.peerOfSealed(subject);
      const content = new TextDecoder().decode(data);
      if (subject === subjects.plainSecrets) {
        values = parseSecrets(content);
        valuesAt = sequence;
      } else if (peerId !== undefined && content !== "" && sealed.length < MAX_SEALED_FILES && bytes <= MAX_SEALED_BYTES) {
        sealed.push({ peerId, content, file: `${SECRETS_STREAM}/${sequence}` });
        bytes += data.length;
      }
    }
    return { values, valuesAt, sealed };
  }

  async #store(
    connection: LinkConnection,
    subject: string,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const body = new TextEncoder().encode(text);
    if (body.length > connection.maxBodyBytes) {
      const limit = `the server takes at most ${connection.maxBodyBytes}`;
      throw new FoldspaceError("FOLD_SECRETS_TOO_LARGE", `The secrets have ${body.length} bytes, and ${limit}`);
    }
    await withStream(connection, SECRETS_STREAM, this.#options.limits(), async () =>
      connection.store(subject, body, { [FROM]: this.#options.session, ...headers }),
    );
  }

  #reading(from: ReaderOptions["from"]): ReaderOptions {
    const { subjects, inboxPrefix, clock } = this.#options;
    return { stream: SECRETS_STREAM, subject: subjects.secrets, from, inboxPrefix, clock };
  }
}
