import * as fsp from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { FileSystemService } from "../../src/fs/bridge/file-system-service.ts";
import { BridgeFileSystem } from "../../src/fs/bridge/index.ts";
import type { WatchHint } from "../../src/fs/file-system.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { startServer } from "../../src/serve/server.ts";
import { expectFailure, readText, utf8 } from "../../src/testing/file-system-fixture.ts";
import { HintLog } from "../../src/testing/file-system-watch-tests.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { acceptClient, serveAs } from "./impostor.ts";
import { connect, serve, socketFrom, SPACE_ID, type Serving } from "./serving.ts";

let serving: Serving;
beforeEach(async () => {
  serving = await serve();
});
afterEach(() => serving.stop());

/** Starts the server again, for the same clients. */
async function serveAgain(): Promise<void> {
  const { folder: path, app, token, server } = serving;
  const again = await startServer({ path, app, token, port: server.port, writable: [""], spaceId: SPACE_ID });
  onTestFinished(() => again.close());
}

function client(): BridgeFileSystem {
  const fs = connect(serving);
  onTestFinished(() => fs.close());
  return fs;
}

/** A client that tries as time passes for it. */
function clientOf(port: number, clock: ManualClock): { fs: BridgeFileSystem; attempts: () => number } {
  let attempts = 0;
  const origin = `http://127.0.0.1:${port}`;
  const fs = new BridgeFileSystem(`ws://127.0.0.1:${port}/bridge`, {
    token: serving.token,
    clock,
    openSocket: (url, protocols) => {
      attempts += 1;
      return socketFrom(origin)(url, protocols);
    },
  });
  onTestFinished(() => fs.close());
  return { fs, attempts: () => attempts };
}

const isBack = async (fs: BridgeFileSystem): Promise<void> =>
  await until("the connection is back", () =>
    fs.stat("").then(
      () => true,
      () => false,
    ),
  );

test("without a server calls fail, and go on when it is there again, with every watch", async () => {
  const fs = client();
  await fs.write("folder/file", utf8("one"));
  const log = await HintLog.start(fs, "folder");
  const ended = await HintLog.start(fs, "folder");
  await serving.server.close();
  await expectFailure(fs.append("folder/file", utf8("x")), "FOLD_FOLDER_LOST");
  await expectFailure(fs.read("folder/file"), "FOLD_FOLDER_LOST");
  expect(log.hints.at(-1)).toMatchObject({ kind: "rescan" });
  await ended.end();
  const hintsAtEnd = ended.hints.length;
  const later: WatchHint[] = [];
  await fs.watch("later", (hint) => later.push(hint));
  log.hints.length = 0;

  await serveAgain();
  await isBack(fs);
  expect(await readText(fs, "folder/file")).toBe("one");
  expect(log.hints).toEqual([{ kind: "rescan", reason: "the connection is back" }]);
  expect(later).toContainEqual({ kind: "rescan", reason: "the connection is back" });
  log.hints.length = later.length = 0;
  await fsp.appendFile(join(serving.folder, "folder", "file"), "two");
  await until("it is hinted at", () => log.hints.length > 0);
  expect(log.hints[0]).toEqual({ kind: "dirty", directory: "folder", names: ["file"] });
  await fsp.mkdir(join(serving.folder, "later"));
  await until("it is hinted at", () => later.length > 0);
  expect(ended.hints).toHaveLength(hintsAtEnd);
});

test("a watch that is refused after a restart does not keep the connection from being used", async () => {
  const fs = client();
  await fs.write("folder/file", utf8("one"));
  const log = await HintLog.start(fs, "folder");
  await serving.server.close();
  await fsp.rm(join(serving.folder, "folder"), { recursive: true });
  await fsp.symlink("..", join(serving.folder, "folder"), "junction");
  log.hints.length = 0;
  await serveAgain();
  await isBack(fs);
  expect(log.hints).toEqual([{ kind: "rescan", reason: "the connection is back" }]);
});

test("what was under way when the connection ended fails, and what ends it is told once", async () => {
  const fs = client();
  await fs.stat("");
  const log = await HintLog.start(fs, "");
  const calls = Array.from({ length: 100 }, (_, index) => fs.append(`file ${index}`, new Uint8Array(1_000_000)));
  const outcomes = Promise.allSettled(calls);
  await serving.server.close();
  for (const outcome of await outcomes)
    if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "FOLD_FOLDER_LOST" });
  expect(log.hints.filter(({ kind }) => kind === "rescan")).toHaveLength(1);
});

test("where nobody answers it is tried again, more and more seldom", async () => {
  const clock = new ManualClock();
  await serving.server.close();
  const { fs, attempts } = clientOf(serving.server.port, clock);
  expect(attempts()).toBe(0);
  await expectFailure(fs.list("folder"), "FOLD_FOLDER_LOST");
  let expected = 1;
  for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    await clock.advance(waitMs - 1);
    expect(attempts()).toBe(expected);
    await clock.advance(1);
    expect(attempts()).toBe((expected += 1));
    // it waits for the try that is under way
    await expectFailure(fs.stat(""), "FOLD_FOLDER_LOST");
  }
  await serveAgain();
  await clock.advance(10_000);
  expect(await fs.list("")).toEqual([]);
  fs.close();
  expect(clock.timerCount).toBe(0);
});

test("a server that does not answer, or accepts nobody, counts as lost after 10 s", async () => {
  const clock = new ManualClock();
  const silent = new WebSocketServer({ port: 0, host: "127.0.0.1", autoPong: false });
  onTestFinished(() => silent.close());
  await new Promise((resolve) => silent.once("listening", resolve));
  // it takes the client's nonce, and says nothing
  const greeted = new Promise<void>((resolve) => silent.on("connection", (socket) => socket.on("message", () => resolve())));
  const { fs } = clientOf((silent.address() as AddressInfo).port, clock);
  const outcome = expectFailure(fs.stat("file"), "FOLD_FOLDER_LOST");
  await greeted;
  await clock.advance(10_000);
  await outcome;

  const deaf = createServer();
  onTestFinished(() => void deaf.close());
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const other = clientOf((deaf.address() as AddressInfo).port, clock).fs;
  const refused = expectFailure(other.stat("file"), "FOLD_FOLDER_LOST");
  await clock.advance(10_000);
  await refused;
});

test("a server that falls silent counts as lost after 4 s, also where nobody calls it, and every watch hears of it", async () => {
  const clock = new ManualClock();
  const { token } = serving;
  let silence = false;
  const rigged = await serveAs(({ socket, host }) => {
    const service = new FileSystemService(new MemoryFileSystem({ "folder/file": "content" }), {
      send: async (message) => {
        if (!silence) socket.send(message);
      },
      fail: () => socket.close(),
      pause: () => undefined,
      resume: () => undefined,
    });
    acceptClient(socket, token, host, (message) => service.receive(message));
  });
  const { fs } = clientOf(rigged.port, clock);
  const log = await HintLog.start(fs, "folder");
  for (let second = 0; second < 10; second += 1) {
    await clock.advance(1_000);
    await fs.stat("folder");
  }
  expect(log.hints).toEqual([]);
  silence = true;
  await clock.advance(4_000);
  await until("the watch hears of it", () => log.hints.length > 0);
  expect(log.hints[0]).toEqual({ kind: "rescan", reason: "the server has gone silent" });
});

test("a server that answers is asked every second, and goes on being used", async () => {
  const clock = new ManualClock();
  const { fs, attempts } = clientOf(serving.server.port, clock);
  for (let time = 0; time < 100; time += 1) {
    await fs.write("file", utf8(String(time)));
    await clock.advance(1_000);
  }
  expect(attempts()).toBe(1);
});

test("a bridge that is closed connects no more", async () => {
  const fs = client();
  const hints: WatchHint[] = [];
  const end = await fs.watch("", (hint) => hints.push(hint));
  const under = fs.stat("");
  fs.close();
  await expectFailure(under, "FOLD_CLOSED");
  await expectFailure(fs.stat(""), "FOLD_CLOSED");
  await expectFailure(
    fs.watch("", () => undefined),
    "FOLD_CLOSED",
  );
  await end();
  expect(hints).toEqual([]);
  const unused = connect(serving);
  unused.close();
  await expectFailure(unused.stat("folder"), "FOLD_CLOSED");
});

test("a client uses only the folder that it expects, and not a copy that is served under the same id and token", async () => {
  const { folder: path, app, token, server } = serving;
  const copy = `${path} copy`;
  await fsp.cp(path, copy, { recursive: true });
  onTestFinished(() => fsp.rm(copy, { recursive: true, force: true }));
  const [before, later] = [client(), client()];
  await before.write("file", utf8("of the original"));
  const { spaceId, realPath } = await before.served();
  expect(realPath).toBe(await fsp.realpath(path));
  later.expect({ spaceId, path: "/named/otherwise", realPath: realPath! });
  expect(await readText(later, "file")).toBe("of the original");
  const early = client();
  early.expect({ spaceId, path });
  await server.close();
  const other = await startServer({ path: copy, app, token, port: server.port, writable: [""], spaceId: SPACE_ID });
  for (const fs of [before, later, early]) {
    await until("the client has found the copy", async () => {
      try {
        await fs.write("file", utf8("into the copy"));
        return expect.fail("it wrote into the copy");
      } catch (error) {
        return (error as { code?: string }).code === "FOLD_UNTRUSTED_SERVER";
      }
    });
  }
  await expectFailure(before.read("file"), "FOLD_UNTRUSTED_SERVER");
  await other.close();
  await serveAgain();
  await isBack(before);
  expect(await readText(before, "file")).toBe("of the original");
});

test("a new client learns the id that the space has now", async () => {
  const { folder: path, app, token, server } = serving;
  await server.close();
  let id = SPACE_ID;
  const again = await startServer({ path, app, token, port: server.port, spaceId: SPACE_ID, readSpaceId: async () => id });
  onTestFinished(() => again.close());
  expect(await client().served()).toMatchObject({ spaceId: SPACE_ID });
  id = "another";
  expect(await client().served()).toMatchObject({ spaceId: "another" });
});
