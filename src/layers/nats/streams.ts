import { errorCode, FoldspaceError } from "../../errors.ts";
import { STREAM_EXISTS } from "./failures.ts";
import type { LinkConnection } from "./link-connection.ts";
import { SECRETS_STREAM } from "./subjects.ts";

/** Size and copies of a stream. */
export interface StreamLimits {
  /** Number of servers of a cluster that each keep everything. Default 1. */
  readonly replicas?: 1 | 3 | 5;
  /** Largest size of one stream, in bytes; then nothing more is stored. Default: as large as the server permits. */
  readonly maxBytes?: number;
}

/** Time in which a message that is sent again is dropped, in nanoseconds. */
const DUPLICATE_WINDOW = 2 * 60 * 1_000_000_000;

/**
 * Creates a stream, unless it exists. No message can be removed from it one by one, and a full one refuses new messages.
 * @throws FoldspaceError `FOLD_PERMISSION`, `FOLD_DISK_FULL`, `FOLD_UNAVAILABLE`
 */
export async function createStream(connection: LinkConnection, name: string, limits: StreamLimits): Promise<void> {
  const isOfSecrets = name === SECRETS_STREAM;
  const config = {
    name,
    subjects: [isOfSecrets ? `${SECRETS_STREAM}.>` : `${name.replace("_", ".")}.>`],
    storage: "file",
    retention: "limits",
    discard: "new",
    num_replicas: limits.replicas ?? 1,
    max_bytes: limits.maxBytes ?? -1,
    max_msgs: -1,
    max_age: 0,
    // a newer version of secrets replaces the former one
    max_msgs_per_subject: isOfSecrets ? 1 : -1,
    duplicate_window: DUPLICATE_WINDOW,
    deny_delete: true,
    allow_rollup_hdrs: false,
  };
  try {
    await connection.call(`$JS.API.STREAM.CREATE.${name}`, config, `The stream ${name} could not be created`);
  } catch (error) {
    if (!(error instanceof FoldspaceError) || error.data["errCode"] !== STREAM_EXISTS) throw error;
  }
}

/**
 * Does something with a stream, and creates the stream if the server lacks it.
 * @param limits of the new stream; `undefined` if it must not be created
 * @throws FoldspaceError the errors of the action, and those of creating the stream
 */
export async function withStream<T>(
  connection: LinkConnection,
  name: string,
  limits: StreamLimits | undefined,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (errorCode(error) !== "FOLD_NOT_FOUND" || !limits) throw error;
    await createStream(connection, name, limits);
    return await action();
  }
}
