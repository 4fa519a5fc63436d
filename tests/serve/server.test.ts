import { existsSync } from "node:fs";
import * as fsp from "node:fs/promises";
import { createServer, request, type IncomingHttpHeaders } from "node:http";
import { connect as connectSocket, type AddressInfo } from "node:net";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { BridgeConnections } from "../../src/serve/bridge-connections.ts";
import { ServerProof } from "../../src/fs/serving/server-proof.ts";
import { startServer, type RefusedRequest } from "../../src/serve/server.ts";
import { expectFailure, readText } from "../../src/testing/file-system-fixture.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { challenge, proofOf, prove, PROTOCOL } from "./proving.ts";
import { connect, serve, SPACE_ID, type Serving } from "./serving.ts";

let serving: Serving;
beforeEach(async () => {
  serving = await serve();
});
afterEach(() => serving.stop());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a path as it stands, which `fetch` would tidy up. */
function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = serving.server;
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    sent.on("error", reject).end();
  });
}

describe("the app", () => {
  test("is served with its types, and with what keeps everything else out", async () => {
    await fsp.mkdir(join(serving.app, "assets"));
    await fsp.writeFile(join(serving.app, "assets", "main-1.js"), "run()");
    const { status, headers, body } = await get("/assets/main-1.js");
    expect([status, body]).toEqual([200, "run()"]);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "content-length": "5",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(await get("/?query")).toMatchObject({ status: 200, body: "<!doctype html><title>app</title>" });
    expect(await get("/assets/main-1.js", { "if-none-match": headers.etag! })).toMatchObject({ status: 304, body: "" });
    expect(await get("/assets/main-1.js", {}, "HEAD")).toMatchObject({
      status: 200,
      body: "",
      headers: { "content-length": "5" },
    });
  });

  test("is kept for good by browsers where the names of its files change with them", async () => {
    const server = await startServer({ path: serving.folder, app: serving.app, spaceId: SPACE_ID, hashedFiles: "assets" });
    await fsp.mkdir(join(serving.app, "assets"));
    for (const path of ["assets/main-1.js", "assets.js"]) await fsp.writeFile(join(serving.app, path), "run()");
    const kept = async (path: string): Promise<string | null> =>
      (await fetch(new URL(path, server.url))).headers.get("cache-control");
    expect(await kept("/assets/main-1.js")).toBe("max-age=31536000, immutable");
    for (const path of ["/", "/assets.js"]) expect(await kept(path)).toBe("no-cache");
    await server.close();
  });

  test("is all that is served: no way leads out of its folder", async () => {
    await fsp.writeFile(join(serving.folder, "private"), "private");
    if (process.platform !== "win32") {
      await fsp.symlink(join(serving.folder, "private"), join(serving.app, "link"));
      await fsp.symlink(serving.folder, join(serving.app, "folder"));
    }
    const ways = [
      "/../folder/private",
      "/%2e%2e/folder/private",
      "/..%2ffolder%2fprivate",
      "/%2e%2e%2ffolder%2fprivate",
      "/..%5cfolder%5cprivate",
      "/%252e%252e/folder/private",
      "/index.html/../../folder/private",
      `/${encodeURIComponent(join(serving.folder, "private"))}`,
      "/link",
      "/folder/private",
      "/index.html%00",
      "/%",
      "/%ff",
      "/nothing",
      "/assets",
    ];
    for (const way of ways) expect([way, (await get(way)).status, (await get(way)).body]).toEqual([way, 404, ""]);
    for (const way of [`/${"x".repeat(2048)}`, `/?${"x".repeat(2048)}`]) expect((await get(way)).status).toBe(414);
    expect((await get(`/${"x".repeat(9000)}`)).status).toBe(431);
    for (const way of ["//folder/private", "http://127.0.0.1/", "*"]) expect((await get(way)).status).toBe(400);
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])("%s is no method", async (method) => {
    expect(await get("/", {}, method)).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  test("one that is not built is an error", async () => {
    const options = { path: serving.folder, spaceId: SPACE_ID };
    await expectFailure(startServer({ ...options, app: join(serving.app, "nowhere") }), "FOLD_NOT_FOUND");
    await expectFailure(startServer({ ...options, app: serving.folder }), "FOLD_NOT_FOUND");
    await expectFailure(startServer({ ...options, app: serving.app, path: join(serving.folder, "no") }), "FOLD_NOT_FOUND");
  });
});

describe("who asks", () => {
  test("only under the server's own name, and from no other page", async () => {
    const { port } = serving.server;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect((await get("/", { host })).status).toBe(200);
      expect((await get("/", { host, origin: `http://${host}` })).status).toBe(200);
    }
    const strange = [
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `0.0.0.0:${port}`,
    ];
    for (const host of strange) expect([host, (await get("/", { host })).status]).toEqual([host, 403]);
    const origins = [
      "null",
      "https://evil.example",
      `http://localhost:${port}`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
    ];
    for (const origin of origins) expect([origin, (await get("/", { origin })).status]).toEqual([origin, 403]);
  });

  test("is told which address is expected if it names another one, and the server's owner once for each", async () => {
    const refused: RefusedRequest[] = [];
    const noting = await serve({ onRefused: (each) => refused.push(each) });
    const { port } = noting.server;
    const ask = async (host: string, method: string = "GET"): Promise<{ status: number; body: string }> =>
      await new Promise((resolve, reject) => {
        const asked = request({ port, host: "127.0.0.1", method, path: "/", headers: { host } }, (response) => {
          let body = "";
          response.on("data", (bytes: Buffer) => (body += bytes.toString()));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        });
        asked.once("error", reject).end();
      });
    try {
      for (let time = 0; time < 2; time++) {
        const { status, body } = await ask("localhost:9000");
        expect(status).toBe(403);
        expect(body).toContain(`http://127.0.0.1:${port} or http://localhost:${port}`);
        expect(body).toContain(`ssh -L ${port}:127.0.0.1:${port}`);
        for (const secret of [noting.token, noting.folder, SPACE_ID, "9000"]) expect(body).not.toContain(secret);
      }
      expect(await ask("localhost:9000", "HEAD")).toEqual({ status: 403, body: "" });
      expect(refused).toEqual([{ host: "localhost:9000", origin: undefined, expected: expect.stringContaining(`${port}`) }]);
      for (let name = 0; name < 20; name++) await ask(`host-${name}.example`);
      expect(refused).toHaveLength(5);
    } finally {
      await noting.stop();
    }
  });

  test("is told that a server of folders is here, and nothing of the folder", async () => {
    const { status, headers, body } = await get("/served.json");
    expect([status, headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(JSON.parse(body)).toEqual({ protocol: PROTOCOL });
    const fs = connect(serving);
    expect(await fs.served()).toEqual({
      spaceId: SPACE_ID,
      path: serving.folder,
      realPath: await fsp.realpath(serving.folder),
      name: "folder",
    });
    fs.close();
  });

  test("a token has 256 bits, is another each time, and one that could be guessed is refused, and takes no port", async () => {
    const other = await serve();
    expect(serving.token).toMatch(/^[\w-]{43}$/);
    expect(other.token).not.toBe(serving.token);
    await other.stop();
    const options = { path: serving.folder, spaceId: SPACE_ID, app: serving.app, port: other.server.port };
    for (const token of ["", "short", "x".repeat(21), "spaces are no part of it", "x".repeat(129)]) {
      await expect(startServer({ ...options, token })).rejects.toMatchObject({ code: "FOLD_BAD_VALUE" });
    }
    await (await startServer(options)).close();
  });
});

interface Attempt {
  readonly path?: string;
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
}

/** Tries to connect. @returns the open connection, which has proven nothing yet, or the status of the refusal */
function attempt({ path = "/bridge", protocols = [PROTOCOL], headers = { origin: serving.origin } }: Attempt = {}): Promise<
  WebSocket | number
> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${serving.server.port}${path}`, protocols, { headers });
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_, { statusCode }) => resolve(statusCode ?? 0));
    // what ends a connection later is looked at by its code
    socket.on("error", () => undefined);
  });
}

/** A connection that has proven nothing yet. */
async function opened(): Promise<WebSocket> {
  const socket = await attempt();
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  return socket;
}

const hostOf = ({ server }: Serving): string => `127.0.0.1:${server.port}`;

async function connected(): Promise<WebSocket> {
  const socket = await opened();
  expect(await prove(socket, serving.token, hostOf(serving))).toBe(true);
  return socket;
}

const closeCode = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.on("close", resolve));

/** Sees that the server does its work for another client. */
async function expectAlive(): Promise<void> {
  const fs = connect(serving);
  await fs.write("alive", new TextEncoder().encode("yes"));
  expect(await readText(fs, "alive")).toBe("yes");
  fs.close();
}

describe("the bridge", () => {
  test("takes only who comes from the app's page, under the server's name, and by its protocol", async () => {
    const { token, origin, server } = serving;
    const refused: readonly (readonly [Attempt, number])[] = [
      [{ headers: {} }, 403],
      [{ headers: { origin: "https://evil.example" } }, 403],
      [{ headers: { origin: `http://localhost:${server.port}` } }, 403],
      [{ headers: { origin: "null" } }, 403],
      [{ headers: { origin, host: `evil.example:${server.port}` } }, 403],
      [{ headers: { origin: `http://evil.example:${server.port}`, host: `evil.example:${server.port}` } }, 403],
      [{ path: "/" }, 404],
      [{ path: "/bridge/.." }, 404],
      [{ protocols: [] }, 426],
      [{ protocols: ["foldspace.v1", `foldspace.token.${token}`] }, 426],
    ];
    for (const [how, status] of refused) expect([how, await attempt(how)]).toEqual([how, status]);
    const socket = await connected();
    expect(socket.protocol).toBe(PROTOCOL);
    socket.terminate();
    await expectAlive();
  });

  test("answers nothing before the client has proven that it knows the token, for which it has one try", async () => {
    const { token } = serving;
    const host = hostOf(serving);
    type Respond = (given: Awaited<ReturnType<typeof challenge>>) => Buffer;
    const wrong: readonly (readonly [string, Respond])[] = [
      ["with another token", ({ nonces }) => proofOf("client", `${token}x`, host, nonces)],
      ["for another port", ({ nonces }) => proofOf("client", token, `127.0.0.1:${serving.server.port + 1}`, nonces)],
      ["for another name", ({ nonces }) => proofOf("client", token, `localhost:${serving.server.port}`, nonces)],
      ["the server's own", ({ proof }) => proof],
      ["as a server", ({ nonces }) => proofOf("server", token, host, nonces)],
      [
        "with the nonces exchanged",
        ({ nonces }) => proofOf("client", token, host, { client: nonces.server, server: nonces.client }),
      ],
      ["cut off", ({ nonces }) => proofOf("client", token, host, nonces).subarray(0, 31)],
      ["none at all", () => Buffer.of()],
      ["a call", () => Buffer.from(encode({ t: "q", i: "1", m: "list", a: [""] }))],
    ];
    for (const [what, answer] of wrong) {
      const socket = await opened();
      const code = closeCode(socket);
      const given = await challenge(socket);
      const said: unknown[] = [];
      socket.on("message", (data) => said.push(data));
      socket.send(answer(given));
      // what would have been right comes too late
      socket.send(proofOf("client", token, host, given.nonces));
      expect([what, await code, said]).toEqual([what, 1008, []]);
    }
    const another = await opened();
    const earlier = await challenge(another);
    const replayed = await opened();
    const code = closeCode(replayed);
    await challenge(replayed);
    replayed.send(proofOf("client", token, host, earlier.nonces));
    expect(await code).toBe(1008);
    another.terminate();
    for (const first of ["text", Buffer.of(), encode({ t: "q", i: "1", m: "ping", a: [] }), Buffer.alloc(64)]) {
      const socket = await opened();
      const refused = closeCode(socket);
      socket.send(first);
      expect(await refused).toBe(1008);
    }
    await expectAlive();
  });

  test("waits 10 s for the proof", async () => {
    const clock = new ManualClock();
    const fs = new MemoryFileSystem();
    const bridge = new BridgeConnections(fs, { spaceId: SPACE_ID, path: "/folder", name: "folder" }, clock);
    const http = createServer();
    http.on("upgrade", (asked, socket, head) => bridge.accept(asked, socket, head, new ServerProof(serving.token, "host")));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    const open = (): Promise<WebSocket> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`, [PROTOCOL]).on("open", () => resolve(socket));
      });
    const [silent, halfway, proven] = [await open(), await open(), await open()];
    await challenge(halfway);
    await prove(proven, serving.token, "host");
    const codes = Promise.all([closeCode(silent), closeCode(halfway)]);
    await clock.advance(9_999);
    expect([silent, halfway, proven].map(({ readyState }) => readyState)).toEqual([1, 1, 1]);
    await clock.advance(1);
    expect(await codes).toEqual([1008, 1008]);
    expect(proven.readyState).toBe(1);
    proven.terminate();
    await bridge.close();
    await new Promise((resolve) => http.close(resolve));
  });

  test("gives what has proven nothing no memory, and 16 places", async () => {
    const long = await opened();
    const code = closeCode(long);
    long.send(Buffer.alloc(1_000_000));
    expect(await code).toBe(1006);
    const first = await opened();
    const firstCode = closeCode(first);
    const others = [];
    for (let number = 0; number < 16; number += 1) others.push(await opened());
    // the one that waits longest goes
    expect(await firstCode).toBe(1006);
    await expectAlive();
    expect(await prove(others.at(-1)!, serving.token, hostOf(serving))).toBe(true);
    for (const socket of others) socket.terminate();
  });

  test("takes 32 clients, and another one when one has gone", async () => {
    const sockets = [];
    for (let number = 0; number < 32; number += 1) sockets.push(await connected());
    expect(await attempt()).toBe(503);
    sockets.pop()!.terminate();
    await until("there is room", async () => {
      const socket = await attempt();
      if (typeof socket !== "number") sockets.push(socket);
      return typeof socket !== "number";
    });
    for (const socket of sockets) socket.terminate();
  });

  test("ends a connection that sends too much or no messages of ours, and goes on for others", async () => {
    const tooLong = await connected();
    tooLong.send(new Uint8Array(16 * 1024 * 1024 + 1));
    expect(await closeCode(tooLong)).toBe(1009);
    const garbage = await connected();
    garbage.send(Uint8Array.from([0xc1, 0xff, 0x00]));
    expect(await closeCode(garbage)).toBe(1002);
    const text = await connected();
    text.send('{"t":"q","i":"1","m":"remove","a":["."]}');
    expect(await closeCode(text)).toBe(1002);
    const polluting = await connected();
    polluting.send(Uint8Array.from([0x81, ...encode("__proto__"), ...encode({ t: "q" })]));
    expect(await closeCode(polluting)).toBe(1002);
    const frame = connectSocket(serving.server.port, "127.0.0.1");
    frame.write("\0\0\0 no request\r\n\r\n");
    frame.resume();
    await new Promise((resolve) => frame.once("close", resolve));
    await expectAlive();
  });

  test("answers a call for what it does not have with an error, and lets no path out of the folder", async () => {
    await fsp.writeFile(join(serving.folder, "..", "secret"), "secret");
    const fs = connect(serving);
    for (const path of ["../secret", "..", "/etc/passwd", "a/../../secret", "a\0"]) {
      await expectFailure(fs.read(path), "FOLD_PERMISSION");
      await expectFailure(fs.write(path, new Uint8Array(1)), "FOLD_PERMISSION");
      await expectFailure(fs.remove(path), "FOLD_PERMISSION");
      await expectFailure(fs.rename("a", path), "FOLD_PERMISSION");
      await expectFailure(
        fs.watch(path, () => undefined),
        "FOLD_PERMISSION",
      );
    }
    if (process.platform !== "win32") {
      await fsp.symlink(join(serving.folder, ".."), join(serving.folder, "up"));
      await expectFailure(fs.read("up/secret"), "FOLD_PERMISSION");
      await expectFailure(fs.append("up/secret", new Uint8Array(1)), "FOLD_PERMISSION");
    }
    expect(await fsp.readFile(join(serving.folder, "..", "secret"), "utf8")).toBe("secret");
    fs.close();
  });
});

describe("the end", () => {
  test("ends connections and watches, and comes soon, whatever clients do", async () => {
    const fs = connect(serving);
    await fs.watch("", () => undefined);
    const [first, deaf] = [await connected(), await connected()];
    deaf.pause();
    const half = connectSocket(serving.server.port, "127.0.0.1");
    half.write("GET / HTTP/1.1\r\nHost:");
    const idle = connectSocket(serving.server.port, "127.0.0.1");
    const ended = Promise.all([half, idle].map((socket) => new Promise((resolve) => socket.resume().once("close", resolve))));
    await get("/");
    const code = closeCode(first);
    await serving.server.close();
    expect(await code).toBe(1001);
    await ended;
    await expect(get("/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expectFailure(fs.stat(""), "FOLD_FOLDER_LOST");
    fs.close();
    deaf.terminate();
    expect(existsSync(serving.folder)).toBe(true);
  });

  test("leaves the port to the next, which cannot have it before", async () => {
    const { port } = serving.server;
    const options = { path: serving.folder, spaceId: SPACE_ID, app: serving.app, port };
    await expect(startServer(options)).rejects.toMatchObject({ code: "FOLD_BUSY", data: { port } });
    await serving.server.close();
    await (await startServer(options)).close();
  });
});
