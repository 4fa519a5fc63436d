import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { VertexOperation } from "foldspace";

/** An operation as the server keeps it. The number of the entry is its position in the space's log, from 1. */
export interface Entry {
  readonly treeId: string;
  readonly op: VertexOperation;
  /** The layer object that has sent it, so that this one does not get it back. */
  readonly writer: string;
}

/**
 * Makes a server that keeps the log of each space in a file, an entry per line.
 *
 * - `POST /SPACE` appends entries that it does not have yet
 * - `GET /SPACE?after=N` answers with all entries after the Nth
 */
export function makeServer(folder: string): Server {
  const logs = new Map<string, { readonly entries: Entry[]; readonly known: Set<string> }>();

  const fileOf = (space: string): string => `${folder}/${encodeURIComponent(space)}.jsonl`;
  const keyOf = ({ treeId, op }: Entry): string => JSON.stringify([treeId, op.id.counter, op.id.peerId]);
  const logOf = (space: string) => {
    let log = logs.get(space);
    if (!log) {
      const lines = existsSync(fileOf(space)) ? readFileSync(fileOf(space), "utf8").trimEnd().split("\n") : [];
      const entries = lines.map((line): Entry => JSON.parse(line));
      logs.set(space, (log = { entries, known: new Set(entries.map(keyOf)) }));
    }
    return log;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const space = decodeURIComponent(url.pathname.slice(1));
    const { entries, known } = logOf(space);
    if (request.method !== "POST") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(entries.slice(Number(url.searchParams.get("after") ?? 0))));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const sent: Entry[] = JSON.parse(Buffer.concat(chunks).toString());
    const fresh = sent.filter((entry) => !known.has(keyOf(entry)));
    // in the file before it is acknowledged
    if (fresh.length > 0) appendFileSync(fileOf(space), fresh.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    for (const entry of fresh) known.add(keyOf(entry));
    entries.push(...fresh);
    response.writeHead(204).end();
  };

  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
}
