import { randomBytes } from "node:crypto";
import { encode } from "@msgpack/msgpack";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { BridgeFileSystem } from "../../src/fs/bridge/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { startServer } from "../../src/serve/server.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { expectFailure } from "../../src/testing/file-system-fixture.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";
import { acceptClient, serveAs, type Contact, type OtherServer } from "./impostor.ts";
import { proofOf, PROTOCOL } from "./proving.ts";
import { connect, serve, SPACE_ID, type Serving } from "./serving.ts";

let serving: Serving;
beforeEach(async () => {
  serving = await serve();
});
afterEach(() => serving.stop());

async function serveAgain(options: { readonly token?: string; readonly spaceId?: string } = {}): Promise<void> {
  const { folder: path, app, token, server } = serving;
  const again = await startServer({ path, app, token, port: server.port, writable: [""], spaceId: SPACE_ID, ...options });
  onTestFinished(() => again.close());
}

/** Starts something else at the port of the server, which has ended. */
async function replaceServer(greet: (contact: Contact) => void): Promise<OtherServer> {
  await serving.server.close();
  return await serveAs(greet, serving.server.port);
}

/** What others do at the port, and how far the client goes along: it sends its nonce at most. */
const impostors: readonly (readonly [string, (contact: Contact, serving: Serving) => void])[] = [
  ["proves nothing", ({ socket }) => socket.on("message", () => socket.send(Buffer.of()))],
  ["proves with another token", ({ socket, host }) => acceptClient(socket, "x".repeat(43), host, () => undefined)],
  [
    "proves for another port",
    ({ socket }, { token, server }) => acceptClient(socket, token, `127.0.0.1:${server.port + 1}`, () => undefined),
  ],
  [
    "passes the proof of a client for its own",
    ({ socket, host }, { token }) =>
      socket.on("message", (data) => {
        const nonces = { client: data as Buffer, server: randomBytes(32) };
        socket.send(Buffer.concat([nonces.server, proofOf("client", token, host, nonces)]));
      }),
  ],
  [
    "sends the nonce back",
    ({ socket }) => socket.on("message", (data) => socket.send(Buffer.concat([data as Buffer, data as Buffer]))),
  ],
  ["answers in text", ({ socket }) => socket.on("message", () => socket.send("welcome"))],
  ["speaks first", ({ socket }) => socket.send(Buffer.alloc(64))],
  ["answers as if it were asked already", ({ socket }) => socket.on("message", () => socket.send(encode({ t: "s", i: "1" })))],
];

test.each(impostors)("a server that %s is not trusted, and hears a nonce at most", async (_, greet) => {
  const other = await replaceServer((contact) => greet(contact, serving));
  const fs = connect(serving);
  onTestFinished(() => fs.close());
  await expectFailure(fs.append("file", new TextEncoder().encode("private")), "FOLD_UNTRUSTED_SERVER");
  await expectFailure(fs.served(), "FOLD_UNTRUSTED_SERVER");
  for (const message of other.heard) expect(message.includes(serving.token)).toBe(false);
  const [, ...messages] = other.heard;
  for (const message of messages.filter((each) => !each.includes("/bridge"))) expect(message).toHaveLength(32);
});

test("a server that passes everything on to the right one at another port is not trusted by either side", async () => {
  const codes: number[] = [];
  const between = await serveAs(({ socket }) => {
    const further = new WebSocket(`ws://127.0.0.1:${serving.server.port}/bridge`, [PROTOCOL], { origin: serving.origin });
    further.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    further.on("close", (code) => codes.push(code));
    socket.on("message", (data) => further.once("open", () => further.send(data)));
    socket.on("close", () => further.close());
  });
  const fs = connect({ origin: `http://127.0.0.1:${between.port}`, token: serving.token });
  onTestFinished(() => fs.close());
  await expectFailure(fs.list(""), "FOLD_UNTRUSTED_SERVER");
  await until("the right server has been let go of", () => codes.length > 0);
});

test("a server that says more than it was asked before the proofs are done is not trusted", async () => {
  await replaceServer(({ socket, host }) => {
    socket.on("message", (data) => {
      const nonces = { client: data as Buffer, server: randomBytes(32) };
      socket.send(Buffer.concat([nonces.server, proofOf("server", serving.token, host, nonces)]));
      socket.send(encode({ t: "q", i: "1", m: "hints", a: [[]] }));
    });
  });
  const fs = connect(serving);
  onTestFinished(() => fs.close());
  await expectFailure(fs.list(""), "FOLD_UNTRUSTED_SERVER");
});

test("the same token at the same port for another space is another server", async () => {
  const told: string[] = [];
  const { token, origin } = serving;
  const fs = new BridgeFileSystem(`${origin.replace("http", "ws")}/bridge`, {
    token,
    openSocket: (url, protocols) => new WebSocket(url, protocols, { origin }),
    onOtherSpace: (one) => told.push(one),
  });
  onTestFinished(() => fs.close());
  expect(await fs.served()).toMatchObject({ spaceId: SPACE_ID });
  await serving.server.close();
  await serveAgain({ spaceId: newId() });
  await until("it is noticed", () => failsWith(fs, "FOLD_UNTRUSTED_SERVER"));
  expect(told).toContain(token);
});

describe("a space whose server is replaced", () => {
  async function openSpace(): Promise<Space> {
    const folder = new FileSystemPersistenceLayer(serving.folder, SPACE_ID);
    const manager = new SpaceManager();
    await (await manager.createSpace({ id: SPACE_ID, name: "Notes", persistenceLayers: [folder] })).close();
    const fs = connect(serving);
    const layer = new FileSystemPersistenceLayer("", SPACE_ID, { fs, flushIntervalMs: 10 });
    const space = await manager.loadSpace({ id: SPACE_ID }, [layer]);
    onTestFinished(async () => {
      await space.close().catch(() => undefined);
      fs.close();
    });
    return space;
  }

  test("says so, keeps what is written, gives nothing away, and goes on when the right one is back", async () => {
    const space = await openSpace();
    space.tree.root!.newNamedChild("before");
    await space.flush();
    const other = await replaceServer(({ socket, host }) => acceptClient(socket, "x".repeat(43), host, () => undefined));
    space.tree.root!.newNamedChild("private");
    await until("the status says so", () => space.status.layers[0]?.error?.code === "FOLD_UNTRUSTED_SERVER");
    expect(space.status.layers[0]).toMatchObject({ state: "degraded" });
    expect(space.status.layers[0]!.pendingOps).toBeGreaterThan(0);
    await expect(space.flush()).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
    expect(other.heard.length).toBeGreaterThan(1);
    for (const message of other.heard)
      for (const secret of [serving.token, "private", "before"]) expect(message.includes(secret)).toBe(false);
    await other.close();
    await serveAgain();
    await until("everything is saved", async () => (await isFlushed(space)) && space.status.layers[0]?.state === "idle");
    const again = await new SpaceManager().loadSpace({ id: SPACE_ID }, [
      new FileSystemPersistenceLayer(serving.folder, SPACE_ID),
    ]);
    expect(again.tree.root!.children.map(({ name }) => name)).toEqual(expect.arrayContaining(["before", "private"]));
    await again.close();
  });
});

describe("a server that is started anew with another token", () => {
  test("is trusted when the client is given that token, and not before", async () => {
    const fs = connect(serving);
    onTestFinished(() => fs.close());
    await fs.list("");
    await serving.server.close();
    const token = newId();
    await serveAgain({ token });
    await until("it is noticed", () => failsWith(fs, "FOLD_UNTRUSTED_SERVER"));
    fs.offerToken(token);
    expect(await fs.list("")).toEqual([]);
    expect(fs.token).toBe(token);
  });

  test("a token that the server does not know takes nothing away from the one that it knows", async () => {
    const proven: string[] = [];
    const { token, origin } = serving;
    const fs = new BridgeFileSystem(`${origin.replace("http", "ws")}/bridge`, {
      token: "stale".repeat(8),
      otherTokens: [token],
      openSocket: (url, protocols) => new WebSocket(url, protocols, { origin }),
      onProven: (one) => proven.push(one),
    });
    onTestFinished(() => fs.close());
    expect(await fs.list("")).toEqual([]);
    expect([fs.token, proven]).toEqual([token, [token]]);
    fs.offerToken("other".repeat(8));
    expect(await fs.list("")).toEqual([]);
    await serving.server.close();
    fs.offerToken("third".repeat(8));
    await serveAgain();
    await until(
      "it is back",
      async () => !(await failsWith(fs, "FOLD_FOLDER_LOST")) && !(await failsWith(fs, "FOLD_UNTRUSTED_SERVER")),
    );
    expect(fs.token).toBe(token);
  });
});

test("a page that can prove nothing is told so, before it connects", () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: () => undefined }, configurable: true });
  onTestFinished(() => void Object.defineProperty(globalThis, "crypto", before));
  const open = (): BridgeFileSystem =>
    new BridgeFileSystem("ws://127.0.0.1:1/bridge", {
      token: serving.token,
      openSocket: () => {
        throw new Error("it connects");
      },
    });
  expect(open).toThrow(expect.objectContaining({ code: "FOLD_UNAVAILABLE" }));
});

async function failsWith(fs: BridgeFileSystem, code: string): Promise<boolean> {
  return await fs.list("").then(
    () => false,
    (error: unknown) => (error as { code?: string }).code === code,
  );
}

async function isFlushed(space: Space): Promise<boolean> {
  return await space.flush().then(
    () => true,
    () => false,
  );
}
