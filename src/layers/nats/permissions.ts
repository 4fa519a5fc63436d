import { SECRETS_STREAM, SpaceSubjects, type ShardDigits } from "./subjects.ts";

/** Subjects that a server permits a device to use, as in the `permissions` of a user of `nats-server`, or of a JWT. */
export interface DevicePermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * The permissions that a device needs, and no others: it reads its spaces, and publishes in them under its own name. It can
 * neither create, change or empty streams, nor see which other spaces there are.
 * @param writer the option `writer` of its layers
 * @param shardDigits that option of them
 * @throws FoldspaceError `FOLD_BAD_ID`
 */
export function permissionsOf(spaceIds: readonly string[], writer: string, shardDigits: ShardDigits = 1): DevicePermissions {
  const spaces = spaceIds.map((spaceId) => new SpaceSubjects(spaceId, shardDigits));
  const perSpace = spaces.flatMap((space) => [
    space.writable(writer),
    space.secrets,
    `$JS.API.CONSUMER.CREATE.${space.stream}.*.${space.all}`,
    `$JS.API.CONSUMER.CREATE.${SECRETS_STREAM}.*.${space.secrets}`,
  ]);
  // the last one answers a server that waits until a reader has everything
  return { publish: [...perSpace, "$JS.FC.>"], subscribe: [`_INBOX_${writer}.>`] };
}
