import { svelte } from "@sveltejs/vite-plugin-svelte";
import { playwright } from "@vitest/browser-playwright";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { CHROMIUM_ARGS, findChromium } from "./tests/browser/chromium.ts";
import { findNatsServer } from "./tests/nats/nats-server.ts";

const chromium = findChromium();
const natsServer = findNatsServer();
/** Tests that drive a browser from outside, in Node. */
const DRIVING_TESTS = "tests/browser/**/*.node.test.ts";

/** Take minutes, so that each has a script of its own (`npm run test:…`). */
const LONG_TESTS = ["app", "crashes", "fleet", "hostile"].map((folder) => `tests/${folder}/**/*.test.ts`);
/** Have a configuration of their own, as they need programs that are not everywhere. */
const PROGRAM_TESTS = ["tests/transports/**", "tests/tauri/**/*.window.test.ts"];

/** Tests whose program is not on this machine. */
const MISSING_TESTS = [...(chromium ? [] : [DRIVING_TESTS]), ...(natsServer ? [] : ["tests/nats/**"])];

/** What the "imports" of package.json choose, before anything is built. */
function platform(modules: Record<string, string>): { alias: Record<string, string> } {
  const alias = Object.entries(modules).map(([name, path]) => [name, fileURLToPath(new URL(path, import.meta.url))]);
  return { alias: Object.fromEntries(alias) };
}

const timeouts = { testTimeout: 30_000, hookTimeout: 30_000 };

const inNode: TestProjectConfiguration = {
  resolve: platform({
    "#platform-fs": "src/fs/platform/platform-node.ts",
    "#platform-peers": "src/peers/platform/platform-node.ts",
    "#platform-nats": "src/layers/nats/dial-node.ts",
    "#platform-worker": "src/worker/start-node.ts",
    // as the app imports them; the short name last, because it also stands for what begins with it
    "foldspace/indexeddb": "src/layers/indexeddb/index.ts",
    "foldspace/nats": "src/layers/nats/index.ts",
    "foldspace/node": "src/fs/node/index.ts",
    "foldspace/testing": "src/testing/index.ts",
    "foldspace/tree": "src/tree/index.ts",
    "foldspace/web": "src/fs/web/index.ts",
    foldspace: "src/index.ts",
  }),
  test: {
    name: "node",
    include: ["src/**/*.test.ts", "app/src/**/*.test.ts", "tests/**/*.test.ts"],
    exclude: ["tests/browser/**/!(*.node).test.ts", ...LONG_TESTS, ...PROGRAM_TESTS, ...MISSING_TESTS],
    ...timeouts,
  },
};

/** Suites over real platforms, where code runs as under Jest: in a realm whose `Error` is not that of the platform's errors. */
const inVmContexts: TestProjectConfiguration = {
  ...inNode,
  test: {
    name: "vm",
    pool: "vmForks",
    include: [
      "src/errors.test.ts",
      "src/fs/**/*.suite.test.ts",
      "src/layers/**/*.suite.test.ts",
      "tests/scenarios/vm-context.test.ts",
    ],
    ...timeouts,
  },
};

const inLongRuns: TestProjectConfiguration = {
  ...inNode,
  test: { name: "long", include: LONG_TESTS, ...timeouts },
};

const inBrowser = (executablePath: string): TestProjectConfiguration => ({
  resolve: platform({
    "#platform-fs": "src/fs/platform/platform-none.ts",
    "#platform-peers": "src/peers/platform/platform-none.ts",
    "#platform-nats": "src/layers/nats/dial-web.ts",
    "#platform-worker": "src/worker/start-web.ts",
  }),
  plugins: [svelte({ configFile: false })],
  // found out in the middle of a run, it would load the page anew
  optimizeDeps: {
    include: [
      "@nats-io/nats-core",
      "hash-wasm",
      "idb",
      "react",
      "react-dom/client",
      "react-dom/server.browser",
      "svelte",
      "svelte/store",
      "vue",
      "vue/server-renderer",
    ],
  },
  test: {
    name: "browser",
    include: ["tests/browser/**/*.test.ts"],
    exclude: [DRIVING_TESTS, ...(natsServer ? [] : ["tests/browser/nats-layer.test.ts"])],
    globalSetup: natsServer ? ["tests/nats/serve-pages.ts"] : [],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: [...CHROMIUM_ARGS] } }),
      instances: [{ browser: "chromium" }],
    },
    ...timeouts,
  },
});

if (chromium === undefined)
  leaveOut(
    "TESTS IN A BROWSER",
    "No Chromium was found (as CHROMIUM_PATH, or in PATH as chromium, chromium-browser or google-chrome): " +
      "tests in a browser need one, such as `apt-get install chromium` installs.",
  );
if (natsServer === undefined)
  leaveOut(
    "TESTS OF THE SERVER LAYER",
    "No nats-server was found (as NATS_SERVER_PATH, or in PATH): tests of the server layer need one, " +
      "such as `apt-get install nats-server` installs.",
  );

/** Says that tests cannot run on this machine, which CI does not permit. */
function leaveOut(tests: string, missing: string): void {
  if (process.env["CI"] === "true") throw new Error(missing);
  process.stderr.write(`${tests} ARE LEFT OUT. ${missing}\n`);
}

export default defineConfig({
  test: {
    projects:
      chromium === undefined ? [inNode, inVmContexts, inLongRuns] : [inNode, inVmContexts, inLongRuns, inBrowser(chromium)],
  },
});
