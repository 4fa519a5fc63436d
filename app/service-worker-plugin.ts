import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Of the entry that becomes the service worker, and of its file beside the page, which makes the page its scope. */
export const SERVICE_WORKER = "sw";

/** Says what the server serves: that is for the server to answer, each time. */
const OF_SERVER = "served.json";

/** Tells the service worker the files of the build, and a version that changes with any of them. */
export function serviceWorkerFiles(publicFolder: string): Plugin {
  return {
    name: "service-worker-files",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle[`${SERVICE_WORKER}.js`];
        if (worker?.type !== "chunk") this.error("The service worker is not in the bundle");
        if (worker.imports.length > 0) this.error("The service worker has to be one file");
        if (!("index.html" in bundle)) this.error("The page is not in the bundle yet");
        const contents = new Map<string, string | Uint8Array>();
        for (const [path, output] of Object.entries(bundle))
          if (output !== worker && !path.endsWith(".map"))
            contents.set(path, output.type === "chunk" ? output.code : output.source);
        for (const path of readdirSync(publicFolder).filter((name) => name !== OF_SERVER))
          contents.set(path, readFileSync(join(publicFolder, path)));
        const version = createHash("sha256").update(worker.code);
        const paths = [...contents.keys()].sort();
        for (const path of paths) version.update(`\0${path}\0`).update(contents.get(path)!);
        const files = ["./", ...paths.filter((path) => path !== "index.html")];
        worker.code = `const APP_FILES=${JSON.stringify(files)},APP_VERSION=${JSON.stringify(version.digest("hex").slice(0, 16))};\n${worker.code}`;
      },
    },
  };
}
