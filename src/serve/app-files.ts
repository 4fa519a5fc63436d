import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { errorCode, FoldspaceError } from "../errors.ts";
import { NodeFileSystem } from "../fs/node/node-file-system.ts";
import { ConfinedFileSystem } from "../fs/serving/confined-file-system.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** Files that browsers need not request again. Browsers keep compiled code only of such files. */
const LASTING = "max-age=31536000, immutable";

/** The files of a built web app. */
export class AppFiles {
  readonly #fs: ConfinedFileSystem;
  readonly #hashed: string | undefined;

  private constructor(fs: ConfinedFileSystem, hashed: string | undefined) {
    this.#fs = fs;
    this.#hashed = hashed;
  }

  /**
   * @param hashed folder of the app in which a file's name changes with its content
   * @throws FoldspaceError `FOLD_NOT_FOUND` if there is no `index.html`
   */
  static async open(folder: string, hashed?: string): Promise<AppFiles> {
    const data = { path: folder };
    try {
      const fs = await ConfinedFileSystem.open(new NodeFileSystem(), folder);
      if ((await fs.stat("index.html"))?.kind === "file") return new AppFiles(fs, hashed);
    } catch (error) {
      if (errorCode(error) !== "FOLD_NOT_FOUND") throw error;
    }
    throw new FoldspaceError("FOLD_NOT_FOUND", `There is no built app in ${folder}: index.html is missing`, { data });
  }

  /** Answers with the file that a path names, or 404. */
  async answer(pathname: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = toPath(pathname);
    const bytes = path === undefined ? undefined : await this.#read(path);
    if (path === undefined || bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash("sha256").update(bytes).digest("base64url")}"`;
    const isHashed = this.#hashed !== undefined && path.startsWith(`${this.#hashed}/`);
    const headers: OutgoingHttpHeaders = { etag, "cache-control": isHashed ? LASTING : "no-cache" };
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    headers["content-type"] = TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
    headers["content-length"] = bytes.length;
    response.writeHead(200, headers).end(bytes);
  }

  /** @returns `undefined` for every path that is not a file of the app */
  async #read(path: string): Promise<Uint8Array | undefined> {
    try {
      return (await this.#fs.stat(path))?.kind === "file" ? await this.#fs.read(path) : undefined;
    } catch {
      // a refused or unreadable file is answered like a missing one
      return undefined;
    }
  }
}

/** Path of a file, relative to the app's folder; `undefined` if the percent encoding is invalid. */
function toPath(pathname: string): string | undefined {
  try {
    const path = decodeURIComponent(pathname).slice(1);
    return path === "" ? "index.html" : path;
  } catch {
    return undefined;
  }
}
