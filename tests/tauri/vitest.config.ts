import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** Tests in windows of the desktop app, which `npm run test:tauri` builds first. */
const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: {
      "#platform-fs": source("fs/platform/platform-node.ts"),
      "#platform-peers": source("peers/platform/platform-node.ts"),
      "#platform-worker": source("worker/start-node.ts"),
    },
  },
  test: {
    include: ["tests/tauri/**/*.window.test.ts"],
    // windows share one screen and one keyboard
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

export default config;
