import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  // found wherever the files are put: at a server's root, below it, or in the desktop shell
  base: "./",
  plugins: [svelte({ compilerOptions: { runes: true } })],
  build: {
    outDir: "../dist/app",
    emptyOutDir: true,
    target: "es2022",
    // the page's policy allows nothing inline, so everything is a file
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
});
