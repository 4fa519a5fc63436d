// A plugin of TypeDoc: puts the live example into README's page of the site, and the documents of llms.txt beside it.
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PageEvent } from "typedoc";

const root = fileURLToPath(new URL("..", import.meta.url));
const PLACE = "<!-- live example -->";
const SECTION = `<h3>Try it here</h3>
<p>The library keeps this list in your browser: in IndexedDB, and in a folder of the browser's own storage, whose files are shown below it. Open this page in a second tab, and write in both.</p>
<section id="live-example" aria-label="Live example">Opening …</section>
<link rel="stylesheet" href="live-example/style.css" />
<script type="module" src="live-example/main.js"></script>`;

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.renderer.on(PageEvent.END, (page) => {
    if (page.url !== "index.html") return;
    if (!page.contents.includes(PLACE)) app.logger.warn(`README has no ${PLACE}`);
    page.contents = page.contents.replace(PLACE, SECTION);
  });
  app.renderer.postRenderAsyncJobs.push(async ({ outputDirectory }) => {
    await build({
      entryPoints: {
        main: join(root, "docs/live-example/main.ts"),
        style: join(root, "docs/live-example/style.css"),
        "parse-worker": "foldspace/worker",
      },
      absWorkingDir: root,
      // its paths are those of Node
      tsconfigRaw: {},
      outdir: join(outputDirectory, "live-example"),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      logLevel: "warning",
    });
    const index = readFileSync(join(root, "llms.txt"), "utf8");
    for (const path of ["llms.txt", ...Array.from(index.matchAll(/\]\(([^)]+)\)/g), ([, linked]) => linked)])
      cpSync(join(root, path), join(outputDirectory, path));
  });
}
