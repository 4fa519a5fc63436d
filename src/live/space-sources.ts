import type { Protection } from "../secrets/vault-contents.ts";
import type { SpaceStatus } from "../space/layer-set.ts";
import type { SpaceSecrets } from "../space/space-secrets.ts";
import type { Space } from "../space/space.ts";
import { haveSameMembers, onePerKey, stable, type Source } from "./source.ts";

/** The secrets at one moment. */
export interface SecretsSnapshot {
  readonly protection: Protection;
  /** By name; none while the secrets are locked. */
  readonly values: Readonly<Record<string, string>>;
}

/** The source of a space's secrets. */
export const secretsSource: (secrets: SpaceSecrets) => Source<SecretsSnapshot> = onePerKey((secrets: SpaceSecrets) => ({
  get: stable(
    (): SecretsSnapshot => {
      const { protection } = secrets;
      return { protection, values: Object.freeze(Object.fromEntries(protection === "locked" ? [] : secrets.entries())) };
    },
    (a, b) => a.protection === b.protection && haveSameMembers(a.values, b.values),
  ),
  subscribe: (onChange) => secrets.observe(onChange),
}));

/** The source of the state of a space's layers. */
export const statusSource: (space: Space) => Source<SpaceStatus> = onePerKey((space: Space) => ({
  get: () => space.status,
  subscribe: (onChange) => space.observeStatus(onChange),
}));
