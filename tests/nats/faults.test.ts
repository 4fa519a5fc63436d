import { headers, type Msg } from "@nats-io/transport-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryPersistenceLayer, MemoryStore, SpaceManager } from "../../src/index.ts";
import { NatsPersistenceLayer } from "../../src/layers/nats/index.ts";
import { asSet, Inbox, TestPeer, until } from "../../src/testing/layer-bench.ts";
import { encodeLine } from "../../src/log/line.ts";
import { newId, type VertexOperation } from "../../src/tree/index.ts";
import { BlackHole } from "./black-hole.ts";
import { client, connectedLayer, countStored, openDevice } from "./nats-rig.ts";
import { NatsServer } from "./nats-server.ts";

const PATIENT = { timeout: 90_000 };
/** The long form, of `npm run test:nats`. */
const IS_FULL = process.env["NATS_TESTS"] === "full";
const KILLS = IS_FULL ? 20 : 6;
const OUTAGE_MS = IS_FULL ? 30_000 : 0;
/** Until all devices have everything after the last fault. */
const CATCH_UP_MS = 10_000;

let server: NatsServer;
let spaceId: string;
const layers: NatsPersistenceLayer[] = [];

beforeEach(async () => {
  server = await NatsServer.start();
  spaceId = newId();
});

afterEach(async () => {
  for (const layer of layers.splice(0)) await layer.disconnect();
  await server.stop();
});

async function connected(...[options, servers = server.url]: [Parameters<typeof connectedLayer>[2]?, string?]) {
  const layer = await connectedLayer(spaceId, servers, options);
  layers.push(layer);
  return layer;
}

/** The operations that a new layer loads. */
async function stored(treeId: string = spaceId): Promise<string[]> {
  const layer = await connectedLayer(spaceId, server.url);
  const ops = await layer.loadTreeOps(treeId);
  await layer.disconnect();
  return asSet(ops);
}

test("no acknowledged operation is lost when the server is killed while three devices write", { timeout: 240_000 }, async () => {
  const devices = [];
  for (let index = 0; index < 3; index++) {
    const peer = new TestPeer();
    const layer = await connected({ peerId: peer.id });
    const inbox = new Inbox();
    await layer.loadSpaceTreeOps();
    await layer.startListening(inbox.listener);
    devices.push({ peer, layer, inbox });
  }
  const saved: VertexOperation[] = [];
  const work = { isOver: false };
  const writing = devices.map(async ({ peer, layer }) => {
    while (!work.isOver) {
      const ops = peer.setMany(3);
      await layer.saveTreeOps(spaceId, ops);
      saved.push(...ops);
    }
  });
  for (let kill = 0; kill < KILLS; kill++) {
    const before = saved.length;
    await until("operations are saved", () => saved.length > before + 30);
    await server.kill();
    await server.start();
  }
  work.isOver = true;
  await Promise.all(writing);
  expect(await stored()).toEqual(asSet(saved));
  for (const { inbox, peer } of devices) {
    const others = asSet(saved.filter(({ id }) => id.peerId !== peer.id));
    await expect.poll(() => asSet(inbox.opsOf(spaceId)).length, { timeout: CATCH_UP_MS }).toBe(others.length);
    expect(asSet(inbox.opsOf(spaceId))).toEqual(others);
  }
});

test("edits made without a server reach it when it is back, and those of others arrive", PATIENT, async () => {
  const [one, two] = [new TestPeer(), new TestPeer()];
  const [near, far] = [await connected({ peerId: one.id }), await connected({ peerId: two.id })];
  const inbox = new Inbox();
  await near.loadSpaceTreeOps();
  await near.startListening(inbox.listener);
  await server.kill();
  const ops = one.setMany(20);
  const saving = near.saveTreeOps(spaceId, ops);
  await until("the outage is shown", () => near.status.state === "degraded");
  expect(near.status).toMatchObject({ pendingOps: 20, error: { code: "FOLD_UNAVAILABLE" } });
  await expect(near.loadSpaceTreeOps()).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
  await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
  await server.start();
  await saving;
  const others = two.setMany(5);
  await far.saveTreeOps(spaceId, others);
  await until("they arrive", () => inbox.opsOf(spaceId).length >= others.length);
  await until("the layer is well", () => near.status.state === "idle");
  expect(near.status.error).toBeUndefined();
  expect(await stored()).toEqual(asSet([...ops, ...others]));
});

for (const transport of ["TCP", "WebSocket"] as const) {
  test(`a link over ${transport} that forwards nothing is noticed, and replaced when it does again`, PATIENT, async () => {
    const [peer, other] = [new TestPeer(), new TestPeer()];
    const proxy = await BlackHole.before(transport === "TCP" ? server.tcpPort : Number(new URL(server.webSocketUrl).port));
    try {
      const scheme = transport === "TCP" ? "nats" : "ws";
      const layer = await connected({ peerId: peer.id }, `${scheme}://127.0.0.1:${proxy.port}`);
      const inbox = new Inbox();
      await layer.loadSpaceTreeOps();
      await layer.startListening(inbox.listener);
      proxy.isOpen = false;
      const ops = peer.setMany(3);
      const saving = layer.saveTreeOps(spaceId, ops);
      await until("it is noticed", () => layer.status.error?.code === "FOLD_UNAVAILABLE");
      const others = other.setMany(4);
      await (await connected({ peerId: other.id })).saveTreeOps(spaceId, others);
      expect(inbox.changes).toEqual([]);
      proxy.isOpen = true;
      await saving;
      await until("what others wrote arrives", () => inbox.opsOf(spaceId).length >= others.length);
      expect(await stored()).toEqual(asSet([...ops, ...others]));
    } finally {
      for (const layer of layers.splice(0)) await layer.disconnect();
      await proxy.close();
    }
  });
}

test("a space that the server lost is written again by the devices that have it", PATIENT, async () => {
  const stores = [new MemoryStore(), new MemoryStore()] as const;
  const memory = new MemoryPersistenceLayer(spaceId, { store: stores[0] });
  const created = await new SpaceManager().createSpace({ persistenceLayers: [memory], name: "Team" });
  const tree = created.newAppTree("notes", "Notes");
  tree.root.newNamedChild("before");
  await created.close();
  const one = await openDevice(spaceId, stores[0], server.url);
  await until("the server has the space", async () => (await stored(tree.id)).length > 0);
  const two = await openDevice(spaceId, stores[1], server.url);
  await two.loadAppTree(tree.id);
  const before = await stored(tree.id);

  await server.kill();
  await server.reset();
  (await one.loadAppTree(tree.id)).root.newNamedChild("meanwhile");
  await server.start();
  const text = (): string[] => asSet(stores[1].read(tree.id));
  await until("the server has everything again", async () => (await stored(tree.id)).length > before.length);
  await until("both devices have the same", () => text().length === asSet(stores[0].read(tree.id)).length);
  await until("the server has the same", async () => (await stored(tree.id)).join() === text().join());
  expect(await stored(spaceId)).toEqual(asSet(stores[0].read(spaceId)));
  await Promise.all([one.close(), two.close()]);
});

test("a stream that is full is an error, nothing else is lost, and what it has can be read", PATIENT, async () => {
  const peer = new TestPeer();
  const layer = await connected({ peerId: peer.id, createStreams: { maxBytes: 20_000 } });
  const kept = peer.setMany(3);
  await layer.saveTreeOps(spaceId, kept);
  const saving = layer.saveTreeOps(spaceId, [peer.set("x".repeat(40_000))]).catch(() => undefined);
  await expect(layer.flush()).rejects.toMatchObject({ code: "FOLD_DISK_FULL" });
  expect(layer.status).toMatchObject({ state: "degraded", pendingOps: 1, error: { code: "FOLD_DISK_FULL" } });
  expect(asSet(await layer.loadSpaceTreeOps())).toEqual(asSet(kept));
  await layer.disconnect();
  await saving;
});

test("what a device publishes under the peer of another device is reported and not taken", PATIENT, async () => {
  const ann = new TestPeer();
  const annsLayer = await connected({ peerId: ann.id, writer: "ann" });
  const readers = [await connected({ writer: "reader" }), await connected()];
  const inboxes = readers.map(() => new Inbox());
  for (const [index, reader] of readers.entries()) {
    await reader.loadSpaceTreeOps();
    await reader.startListening(inboxes[index]!.listener);
  }
  const own = ann.setMany(2);
  await annsLayer.saveTreeOps(spaceId, own);
  const forged = new TestPeer(ann.id, 100).setMany(2);
  const nats = await client(server);
  const forgedHeaders = headers();
  forgedHeaders.set("Fold-Peer", ann.id);
  await nats.request(
    `fold.${spaceId.slice(0, 1)}.${spaceId}.${spaceId}.mallory`,
    forged.map((op) => `${encodeLine(op)}\n`).join(""),
    { headers: forgedHeaders, timeout: 5_000 },
  );
  await nats.close();
  const more = ann.setMany(1);
  await annsLayer.saveTreeOps(spaceId, more);
  for (const [index, reader] of readers.entries()) {
    await until("it is reported", () => reader.problems.some(({ code }) => code === "FOLD_PERMISSION"));
    await until("what follows arrives", () => inboxes[index]!.opsOf(spaceId).length >= 3);
    expect(asSet(inboxes[index]!.opsOf(spaceId))).toEqual(asSet([...own, ...more]));
    expect(reader.peersNotDownloaded(spaceId)).toEqual(new Set([ann.id]));
  }
  const late = await connected({ writer: "late" });
  expect(asSet(await late.loadSpaceTreeOps())).toEqual(asSet([...own, ...more]));
  expect(late.problems).toMatchObject([{ code: "FOLD_PERMISSION", treeId: spaceId }]);
  expect(annsLayer.peersNotDownloaded(spaceId)).toEqual(new Set());
});

test(
  "a device may relay operations of a peer that has not written to the server, and their author goes on",
  PATIENT,
  async () => {
    const ann = new TestPeer();
    const [early, late] = [ann.setMany(2), ann.setMany(2)];
    await (await connected({ writer: "bob" })).saveTreeOps(spaceId, early);
    await (await connected({ writer: "ann", peerId: ann.id })).saveTreeOps(spaceId, late);
    const reader = await connected({ writer: "reader" });
    expect(asSet(await reader.loadSpaceTreeOps())).toEqual(asSet([...early, ...late]));
    expect(reader.problems).toEqual([]);
  },
);

test("a device whose peer belongs to another device is told", PATIENT, async () => {
  const peer = new TestPeer();
  await (await connected({ writer: "first", peerId: peer.id })).saveTreeOps(spaceId, peer.setMany(1));
  const second = await connected({ writer: "second", peerId: peer.id });
  await second.saveTreeOps(spaceId, peer.setMany(1));
  expect(second.problems).toMatchObject([{ code: "FOLD_PEER_CLONED" }]);
});

test("what is published twice is stored once", PATIENT, async () => {
  const peer = new TestPeer();
  const ops = peer.setMany(10);
  await (await connected()).saveTreeOps(spaceId, ops);
  await (await connected()).saveTreeOps(spaceId, ops);
  expect(await countStored(server, spaceId)).toBe(1);
});

for (const operationKey of [undefined, new Uint8Array(32).fill(1)]) {
  const kind = operationKey ? "sealed" : "readable";
  test(`a ${kind} operation that is longer than a message of the server goes in parts`, PATIENT, async () => {
    const peer = new TestPeer();
    const ops = [peer.set("a"), peer.set("x".repeat(2_000_000)), peer.set("b")];
    const options = operationKey ? { operationKey } : {};
    const reader = await connected(options);
    const inbox = new Inbox();
    await reader.loadSpaceTreeOps();
    await reader.startListening(inbox.listener);
    await (await connected(options)).saveTreeOps(spaceId, ops);
    await until("they arrive", () => inbox.opsOf(spaceId).length >= 3);
    const loaded = await (await connected(options)).loadSpaceTreeOps();
    for (const each of [loaded, inbox.opsOf(spaceId)]) expect(asSet(each)).toEqual(asSet(ops));
    expect(await countStored(server, spaceId)).toBeGreaterThan(1);
  });
}

test("the server cannot read sealed operations, and another key is a problem", PATIENT, async () => {
  const peer = new TestPeer();
  const sealed = await connected({ operationKey: new Uint8Array(32).fill(1), writer: "ann", peerId: peer.id });
  await sealed.saveTreeOps(spaceId, [peer.set("confidential")]);
  const nats = await client(server);
  const stream = `fold_${spaceId.slice(0, 1)}`;
  const filter = `fold.${spaceId.slice(0, 1)}.${spaceId}.>`;
  const config = { name: "look", deliver_subject: "look", filter_subject: filter, ack_policy: "none", deliver_policy: "all" };
  const seen: string[] = [];
  const callback = (_: unknown, message: Msg): void =>
    void seen.push(`${[...(message.headers ?? [])].join()} ${message.string()}`);
  nats.subscribe("look", { callback });
  const request = JSON.stringify({ stream_name: stream, config });
  const answer = await nats.request(`$JS.API.CONSUMER.CREATE.${stream}.look.${filter}`, request, { timeout: 5_000 });
  expect(answer.json()).not.toHaveProperty("error");
  await until("the stored messages are seen", () => seen.length >= 2);
  await nats.close();
  expect(seen.join()).not.toContain("confidential");
  expect(seen.join()).not.toContain(peer.id);

  for (const options of [{}, { operationKey: new Uint8Array(32).fill(2) }]) {
    const other = await connected(options);
    expect(await other.loadSpaceTreeOps()).toEqual([]);
    expect(other.problems.map(({ code }) => code)).toContain("FOLD_SECRETS_LOCKED");
  }
});

test("failures to connect have codes", PATIENT, async () => {
  const missing = new NatsPersistenceLayer(spaceId, { servers: server.url, createStreams: false });
  await expect(missing.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  const { url } = server;
  await server.kill();
  const unreachable = new NatsPersistenceLayer(spaceId, { servers: url });
  await expect(unreachable.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
  expect(unreachable.status).toMatchObject({ state: "offline", error: { code: "FOLD_UNAVAILABLE" } });
});

test("a server that refuses the credential, or the subject, is a matter of permission", PATIENT, async () => {
  await server.stop();
  server = await NatsServer.start(`
    authorization {
      users = [
        { user: admin, password: secret }
        { user: guest, password: secret, permissions: { publish: ["$JS.API.CONSUMER.CREATE.>"], subscribe: ["_INBOX.>"] } }
      ]
    }`);
  const [admin, guest] = ["admin", "guest"].map((user) => ({ user, password: "secret" }));
  await connected({ credentials: admin! });
  const wrong = new NatsPersistenceLayer(spaceId, { servers: server.url, credentials: { user: "admin", password: "wrong" } });
  await expect(wrong.connect({ peerId: newId() })).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
  const reader = await connected({ credentials: guest! });
  expect(await reader.loadSpaceTreeOps()).toEqual([]);
  const saving = reader.saveTreeOps(spaceId, new TestPeer().setMany(1)).catch(() => undefined);
  await expect(reader.flush()).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
  await reader.disconnect();
  await saving;
});

test("a credential that is revoked ends the connection, and what waits is stored once it is valid again", PATIENT, async () => {
  await server.stop();
  const settings = (...names: string[]): string =>
    `authorization ${JSON.stringify({ users: names.map((user) => ({ user, password: "secret" })) })}`;
  server = await NatsServer.start(settings("ann", "bob"));
  const [ann, bob] = [new TestPeer(), new TestPeer()];
  const login = (user: string): { credentials: { user: string; password: string } } => ({
    credentials: { user, password: "secret" },
  });
  const near = await connected({ peerId: ann.id, ...login("ann") });
  const far = await connected({ peerId: bob.id, ...login("bob") });
  const inbox = new Inbox();
  await near.loadSpaceTreeOps();
  await near.startListening(inbox.listener);
  const early = ann.setMany(3);
  await near.saveTreeOps(spaceId, early);

  await server.reconfigure(settings("bob"));
  await until("the refusal is shown", () => near.status.error?.code === "FOLD_PERMISSION");
  const others = bob.setMany(4);
  await far.saveTreeOps(spaceId, others);
  const waiting = ann.setMany(2);
  const saving = near.saveTreeOps(spaceId, waiting);
  await expect(near.loadSpaceTreeOps()).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
  expect(near.status).toMatchObject({ state: "degraded", pendingOps: 2 });
  expect(inbox.changes).toEqual([]);
  expect(asSet(await far.loadSpaceTreeOps())).toEqual(asSet([...early, ...others]));

  await server.reconfigure(settings("ann", "bob"));
  await saving;
  await until("what others wrote arrives", () => inbox.opsOf(spaceId).length >= others.length);
  expect(asSet(await far.loadSpaceTreeOps())).toEqual(asSet([...early, ...others, ...waiting]));
});

test("secrets without a passphrase stay away from a server that may not have them", PATIENT, async () => {
  const layer = await connected();
  const changes = new Map([["token", { from: undefined, to: "value" }]]);
  await expect(layer.saveSecrets!({ changes })).rejects.toMatchObject({ code: "FOLD_SECRETS_PROTECTION" });
  await layer.saveSecrets!({ changes: new Map(), sealed: { peerId: "peer", text: "sealed" } });
  expect(await layer.loadSecrets!()).toMatchObject({ values: new Map(), sealed: [{ peerId: "peer", content: "sealed" }] });
});
