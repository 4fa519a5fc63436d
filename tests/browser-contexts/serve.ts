import { build } from "esbuild";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a page that runs a script of this folder, bundled, on this machine only. */
export async function servePage(script: string): Promise<PageServer> {
  const code = await bundle(script);
  const server = createServer((request, response) => {
    if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(code);
    else if (request.url === "/sandboxed") {
      const frame = `<iframe sandbox="allow-scripts" src="/"></iframe>`;
      response.setHeader("content-type", "text/html").end(`<!doctype html><title>sandboxed</title>${frame}`);
    } else if (request.url === "/") {
      const page = `<!doctype html><meta charset="utf-8"><title>page</title><script src="/page.js"></script>`;
      response.setHeader("content-type", "text/html").end(page);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: async () => await closeServer(server) };
}

async function bundle(script: string): Promise<string> {
  const path = (relative: string): string => fileURLToPath(new URL(relative, ROOT));
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(script, import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2023",
    // the suites of `testing` declare themselves to vitest, which no page has; nothing of it is used here
    external: ["vitest"],
    define: { "import.meta.url": "location.href" },
    alias: {
      "#platform-fs": path("src/fs/platform/platform-none.ts"),
      "#platform-peers": path("src/peers/platform/platform-none.ts"),
      "#platform-worker": path("src/worker/start-web.ts"),
    },
  });
  return outputFiles[0]!.text;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
  });
}
