import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { SERVICE_WORKER, serviceWorkerFiles } from "./service-worker-plugin.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // found wherever the files are put: at a server's root, below it, or in the desktop shell
  base: "./",
  plugins: [svelte({ compilerOptions: { runes: true } }), serviceWorkerFiles(at("public"))],
  build: {
    outDir: "../dist/app",
    emptyOutDir: true,
    target: "es2022",
    // the page's policy allows nothing inline, so everything is a file
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: at("index.html"), [SERVICE_WORKER]: at("src/session/service-worker.ts") },
      output: {
        // without a hash: browsers look for a new one at the same address
        entryFileNames: ({ name }) => (name === SERVICE_WORKER ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es" },
});
