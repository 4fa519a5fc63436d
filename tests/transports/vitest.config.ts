import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: {
      "#platform-fs": source("fs/platform/platform-node.ts"),
      "#platform-peers": source("peers/platform/platform-node.ts"),
      "#platform-worker": source("worker/start-node.ts"),
    },
  },
  test: {
    include: ["tests/transports/**/*.test.ts"],
    // each waits for another program most of the time
    maxWorkers: 3,
    hookTimeout: 60_000,
  },
});

export default config;
