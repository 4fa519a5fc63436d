import { decode, encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { until } from "../../testing/layer-bench.ts";
import { MemoryFileSystem } from "../memory/memory-file-system.ts";
import { FileSystemService } from "./file-system-service.ts";

/** A client that sends arbitrary messages, and reads answers only while it listens. */
class RawClient {
  readonly sent: { t: string; i: string; r?: unknown; e?: unknown }[] = [];
  readonly failures: string[] = [];
  isPaused = false;
  pauses = 0;
  isListening = true;
  readonly fs = new MemoryFileSystem({ "folder/file": "content" });
  readonly service = new FileSystemService(this.fs, {
    send: async (message) => {
      if (!this.isListening) await new Promise(() => undefined);
      this.sent.push(decode(message) as { t: string; i: string });
    },
    fail: (reason) => this.failures.push(reason),
    pause: () => {
      this.isPaused = true;
      this.pauses += 1;
    },
    resume: () => {
      this.isPaused = false;
    },
  });

  call(method: unknown, args: unknown, id: unknown = "1"): void {
    this.service.receive(encode({ t: "q", i: id, m: method, a: args }));
  }

  async answer(method: unknown, args: unknown): Promise<{ r?: unknown; e?: unknown }> {
    const before = this.sent.length;
    this.call(method, args);
    await until("there is an answer", () => this.sent.length > before);
    return this.sent.at(-1)!;
  }
}

/** The message of msgpack for a key that it refuses to decode. */
function mapOf(key: string, value: Uint8Array): Uint8Array {
  return Uint8Array.from([0x81, ...encode(key), ...value]);
}

describe("a client that violates the protocol", () => {
  const nested = (depth: number): Uint8Array => Uint8Array.from([...Array.from({ length: depth }, () => 0x91), 0xc0]);
  const garbage: readonly (readonly [string, Uint8Array])[] = [
    ["nothing", new Uint8Array()],
    ["bytes that are no message", Uint8Array.from([0xc1, 1, 2, 3])],
    ["a message with more behind it", Uint8Array.from([0xc0, 0xc0])],
    ["a number", encode(7)],
    ["null", encode(null)],
    ["an empty map", encode({})],
    ["an answer to a call that nobody made", encode({ t: "s", i: "1", r: 1 })],
    ["a call without an id", encode({ t: "q", m: "remove", a: ["folder"] })],
    ["a call without a method", encode({ t: "q", i: "1", a: [] })],
    ["a call whose arguments are no list", encode({ t: "q", i: "1", m: "remove", a: { length: 1, 0: "folder" } })],
    ["a message that sets a prototype", mapOf("__proto__", encode({ t: "q" }))],
    ["arguments that set a prototype", Uint8Array.from([0x84, ...callStart(), ...mapOf("__proto__", encode({ polluted: 1 }))])],
    ["a list of four billion", Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ["a map of four billion", Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff])],
    ["a text of four billion", Uint8Array.from([0xdb, 0xff, 0xff, 0xff, 0xff])],
    ["lists in lists", nested(1_000_000)],
  ];

  test.each(garbage)("%s ends the connection, and nothing is done", async (_, message) => {
    const client = new RawClient();
    client.service.receive(message);
    expect(client.failures).toHaveLength(1);
    expect(client.fs.dump()).toEqual({ "folder/file": "content" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  const badArguments: readonly (readonly [string, unknown[]])[] = [
    ["list", []],
    ["list", [null]],
    ["list", [{ toString: "x" }]],
    ["list", ["x".repeat(5000)]],
    ["read", ["folder/file", -1]],
    ["read", ["folder/file", 0.5]],
    ["read", ["folder/file", 0, "all"]],
    ["append", ["folder/file", "text", false]],
    ["write", ["folder/file", [1, 2, 3]]],
    ["rename", ["folder/file"]],
    ["watch", ["1", "folder"]],
    ["unwatch", [{}]],
  ];
  test.each(badArguments)(
    "%s with arguments of the wrong kind is refused, and the connection continues",
    async (method, args) => {
      const client = new RawClient();
      const { e, r } = await client.answer(method, args);
      expect(r).toBeUndefined();
      expect(e).toBeDefined();
      expect(client.fs.dump()).toEqual({ "folder/file": "content" });
      expect((await client.answer("stat", ["folder/file"])).r).toMatchObject({ size: 7 });
      expect(client.failures).toEqual([]);
    },
  );

  test.each(["nothing", "constructor", "toString", "__proto__", "hasOwnProperty", "then", "$close", ""])(
    "the method %j does not exist",
    async (method) => {
      const client = new RawClient();
      expect(await client.answer(method, ["folder"])).not.toHaveProperty("r");
      expect((await client.answer("ping", [])).e).toBeUndefined();
    },
  );
});

test("a client that calls and does not listen is paused, and no more files are read for it", async () => {
  const client = new RawClient();
  client.isListening = false;
  let reads = 0;
  const read = client.fs.read.bind(client.fs);
  client.fs.read = async (path, range) => {
    reads += 1;
    return await read(path, range);
  };
  for (let number = 0; number < 1000; number += 1) client.call("read", ["folder/file", 0], String(number));
  await until("it is not read from", () => client.isPaused);
  await new Promise((resolve) => setTimeout(resolve));
  expect(reads).toBe(32);
});

test("a client that sends much at once gets every answer, and is resumed", async () => {
  const client = new RawClient();
  for (let number = 0; number < 1000; number += 1) client.call("read", ["folder/file", 0], String(number));
  await until("all is answered", () => client.sent.length === 1000);
  expect(new Set(client.sent.map(({ i }) => i)).size).toBe(1000);
  expect(client.pauses).toBeGreaterThan(0);
  expect(client.isPaused).toBe(false);
});

test("a connection has 64 watches, and one that ends makes room", async () => {
  const client = new RawClient();
  for (let id = 0; id < 64; id += 1) expect((await client.answer("watch", [id, "folder"])).e).toBeUndefined();
  expect((await client.answer("watch", [64, "folder"])).e).toBeDefined();
  expect((await client.answer("watch", [3, "folder"])).e).toBeDefined();
  await client.answer("unwatch", [3]);
  expect((await client.answer("watch", [64, "folder"])).e).toBeUndefined();
  expect((await client.answer("unwatch", [1000])).e).toBeUndefined();
});

test("after the end no call is executed, and no watch is left", async () => {
  const client = new RawClient();
  let open = 0;
  const watch = client.fs.watch.bind(client.fs);
  client.fs.watch = async (path, onHint) => {
    const end = await watch(path, onHint);
    open += 1;
    return async () => {
      open -= 1;
      await end();
    };
  };
  await client.answer("watch", [1, "folder"]);
  client.call("watch", [2, ""]);
  await client.service.close();
  client.call("remove", ["folder"]);
  await new Promise((resolve) => setTimeout(resolve));
  expect(open).toBe(0);
  expect(client.fs.dump()).toEqual({ "folder/file": "content" });
});

/** The encoded members of a call up to its arguments. */
function callStart(): number[] {
  const members: Uint8Array[] = [encode("t"), encode("q"), encode("i"), encode("1"), encode("m"), encode("stat"), encode("a")];
  return members.flatMap((bytes) => [...bytes]);
}
