import { errors, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsPersistenceLayer, permissionsOf, type NatsCredentials } from "../../src/layers/nats/index.ts";
import { asSet, Inbox, TestPeer, until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";
import { connectedLayer } from "./nats-rig.ts";
import { NatsServer } from "./nats-server.ts";

const [SPACE, OTHER] = [`0${newId().slice(1)}`, `0${newId().slice(1)}`];
const PASSWORD = "secret";

let server: NatsServer;

beforeAll(async () => {
  const users = [{ user: "admin", password: PASSWORD }, member("ann", SPACE), member("bob", SPACE), member("eve", OTHER)];
  server = await NatsServer.start(`authorization ${JSON.stringify({ users })}`);
  const admin = await connectedLayer(SPACE, server.url, { credentials: loginOf("admin"), secrets: "all" });
  const changes = new Map([["token", { from: undefined, to: "value" }]]);
  await admin.saveSecrets!({ changes });
  await admin.disconnect();
});

afterAll(async () => server.stop());

function member(writer: string, spaceId: string): object {
  const { publish, subscribe } = permissionsOf([spaceId], writer);
  return { user: writer, password: PASSWORD, permissions: { publish, subscribe } };
}

function loginOf(user: string): NatsCredentials & { user: string } {
  return { user, password: PASSWORD };
}

async function deviceOf(writer: string, spaceId: string, peerId: string): Promise<NatsPersistenceLayer> {
  return await connectedLayer(spaceId, server.url, { credentials: loginOf(writer), writer, peerId, secrets: "all" });
}

test("two members of a space read, write, follow each other and keep secrets", async () => {
  const [ann, bob] = [new TestPeer(), new TestPeer()];
  const [one, two] = [await deviceOf("ann", SPACE, ann.id), await deviceOf("bob", SPACE, bob.id)];
  const inbox = new Inbox();
  await two.loadSpaceTreeOps();
  await two.startListening(inbox.listener);
  const ops = ann.setMany(5);
  await one.saveTreeOps(SPACE, ops);
  await until("they arrive", () => inbox.opsOf(SPACE).length >= ops.length);
  expect(asSet(await two.loadSpaceTreeOps())).toEqual(asSet(ops));
  expect(await two.listTrees()).toEqual([SPACE]);
  await one.saveSecrets!({ changes: new Map(), sealed: { peerId: ann.id, text: "sealed" } });
  expect(await two.loadSecrets!()).toMatchObject({ values: new Map([["token", "value"]]), sealed: [{ content: "sealed" }] });
  await two.rescan();
  for (const layer of [one, two]) {
    expect(layer.status.error).toBeUndefined();
    await layer.disconnect();
  }
});

test("a member of another space can neither open nor find this one", async () => {
  const layer = new NatsPersistenceLayer(SPACE, { servers: server.url, credentials: loginOf("eve"), writer: "eve" });
  await expect(layer.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
});

/** Subjects of requests that a member must not send. The payloads do nothing, or only what the test can see. */
const FORBIDDEN: readonly string[] = [
  // as another device, in another space, or in another way
  `fold.0.${SPACE}.${SPACE}.bob`,
  `fold.0.${SPACE}.%claims.bob`,
  `fold.0.${OTHER}.${OTHER}.ann`,
  `fold.0.${SPACE}.ann`,
  `fold.0.${SPACE}.${SPACE}.ann.more`,
  `fold.0.ann`,
  `foldsec.${OTHER}.plain`,
  `foldsec.${OTHER}.sealed.peer`,
  // reading other spaces, or all
  `$JS.API.CONSUMER.CREATE.fold_0.n.fold.0.${OTHER}.>`,
  `$JS.API.CONSUMER.CREATE.fold_0.n.fold.0.*.>`,
  "$JS.API.CONSUMER.CREATE.fold_0.n.fold.0.>",
  "$JS.API.CONSUMER.CREATE.fold_0.n.fold.>",
  "$JS.API.CONSUMER.CREATE.fold_0.n.>",
  "$JS.API.CONSUMER.CREATE.fold_0.n",
  "$JS.API.CONSUMER.CREATE.fold_0",
  "$JS.API.CONSUMER.DURABLE.CREATE.fold_0.n",
  `$JS.API.CONSUMER.CREATE.foldsec.n.foldsec.${OTHER}.>`,
  "$JS.API.CONSUMER.CREATE.foldsec.n.foldsec.>",
  "$JS.API.CONSUMER.CREATE.foldsec",
  "$JS.API.CONSUMER.MSG.NEXT.fold_0.n",
  "$JS.API.CONSUMER.LIST.fold_0",
  "$JS.API.CONSUMER.NAMES.fold_0",
  "$JS.API.CONSUMER.INFO.fold_0.n",
  "$JS.API.CONSUMER.DELETE.fold_0.n",
  "$JS.API.STREAM.MSG.GET.fold_0",
  "$JS.API.DIRECT.GET.fold_0",
  `$JS.API.DIRECT.GET.fold_0.fold.0.${OTHER}.${OTHER}.eve`,
  "$JS.API.STREAM.INFO.fold_0",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.NAMES",
  "$JS.API.INFO",
  // changing what is stored
  "$JS.API.STREAM.CREATE.mine",
  "$JS.API.STREAM.UPDATE.fold_0",
  "$JS.API.STREAM.PURGE.fold_0",
  "$JS.API.STREAM.DELETE.fold_0",
  "$JS.API.STREAM.MSG.DELETE.fold_0",
  "$JS.API.STREAM.SNAPSHOT.fold_0",
  "$JS.API.STREAM.RESTORE.mine",
  "$JS.API.STREAM.LEADER.STEPDOWN.fold_0",
  "$JS.API.STREAM.PEER.REMOVE.fold_0",
  // what other connections get, and the server itself
  "_INBOX_bob.answer",
  "$SYS.REQ.SERVER.PING",
  "$SYS.REQ.USER.INFO",
  "anything.else",
];

const OVERHEARD: readonly string[] = [
  ">",
  "fold.>",
  `fold.0.${SPACE}.>`,
  "foldsec.>",
  "_INBOX.>",
  "_INBOX_bob.>",
  "$JS.>",
  "$SYS.>",
];

test("a member is refused every subject that is not its own", async () => {
  const nats = await connect({ servers: server.url, user: "ann", pass: PASSWORD, inboxPrefix: "_INBOX_ann" });
  for (const subject of FORBIDDEN) expect(await refusalOf(nats, subject), subject).toBe("refused");
  // a permission that is right is no reason to pass
  expect(await refusalOf(nats, `$JS.API.CONSUMER.CREATE.fold_0.n.fold.0.${SPACE}.>`)).toBe("answered");
  for (const subject of OVERHEARD) {
    const refusal = await new Promise<unknown>((resolve) => nats.subscribe(subject, { callback: (error) => resolve(error) }));
    expect(refusal, subject).toBeInstanceOf(errors.PermissionViolationError);
  }
  await nats.close();
});

async function refusalOf(nats: NatsConnection, subject: string): Promise<string> {
  try {
    await nats.request(subject, "{}", { timeout: 2_000 });
    return "answered";
  } catch (error) {
    const isRefused = [error, (error as Error).cause].some((each) => each instanceof errors.PermissionViolationError);
    return isRefused ? "refused" : String(error);
  }
}
