export type { Source } from "./source.ts";
export { childrenSource, vertexSource } from "./vertex-source.ts";
export type { VertexSnapshot } from "./vertex-source.ts";
export { secretsSource, statusSource } from "./space-sources.ts";
export type { SecretsSnapshot } from "./space-sources.ts";
export { LiveSpace, liveSpace, UNOPENED } from "./live-space.ts";
export type { LiveSpaceOptions, SpaceState } from "./live-space.ts";
