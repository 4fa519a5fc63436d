export type { NatsCredentials } from "./client.ts";
export { NatsPersistenceLayer } from "./nats-layer.ts";
export type { NatsLayerOptions } from "./nats-options.ts";
export { permissionsOf } from "./permissions.ts";
export type { DevicePermissions } from "./permissions.ts";
export type { StreamLimits } from "./streams.ts";
export type { ShardDigits } from "./subjects.ts";
