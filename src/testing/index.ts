export { testFileSystem } from "./file-system-suite.ts";
export type { FileSystemSetup, OutsideHands } from "./file-system-fixture.ts";
export { testPersistenceLayer } from "./layer-suite.ts";
export type { LayerSetup } from "./layer-bench.ts";
export { ManualClock } from "./manual-clock.ts";
export { FaultyFileSystem } from "./faulty-file-system.ts";
export type { FileSystemCall } from "./faulty-file-system.ts";
export { FaultyLayer, FaultyStore } from "./layer-faults.ts";
