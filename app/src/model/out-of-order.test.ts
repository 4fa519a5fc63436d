import { expect, test } from "vitest";
import type { VertexOperation } from "foldspace/tree";
import { Random } from "../../../src/testing/random.ts";
import { ConflictWatcher } from "./conflicts.ts";
import { drawn } from "./test-conflicts.ts";
import { alsoOn, newPage, notified, sync, type Device } from "./test-pages.ts";
import { TextVersions } from "./text-versions.ts";

const SEEDS = 200;
const STEPS = 60;

/** The operations that a device has made, in files: a new one begins now and then. */
class Files {
  readonly #device: Device;
  readonly #starts = [0];
  /** For each reader, how much of each file has arrived. */
  readonly #arrived = new Map<Device, number[]>();

  constructor(device: Device) {
    this.#device = device;
  }

  #ops(): VertexOperation[] {
    const { tree } = this.#device;
    return tree
      .getAllOps()
      .filter(({ id }) => id.peerId === tree.peerId)
      .sort((a, b) => a.id.counter - b.id.counter);
  }

  begin(): void {
    const { length } = this.#ops();
    if (length > this.#starts.at(-1)!) this.#starts.push(length);
  }

  /** A part of one file arrives: its beginning, up to some line. */
  deliver(to: Device, random: Random): void {
    const ops = this.#ops();
    let arrived = this.#arrived.get(to);
    if (!arrived) this.#arrived.set(to, (arrived = []));
    const file = random.integer(0, this.#starts.length - 1);
    const [start, end] = [this.#starts[file]!, this.#starts[file + 1] ?? ops.length];
    const before = arrived[file] ?? start;
    const upTo = random.next() < 0.6 ? end : random.integer(before, end);
    to.tree.merge(ops.slice(before, upTo));
    arrived[file] = upTo;
  }
}

function mergeOn({ tree }: Device, id: string): boolean {
  const versions = TextVersions.of(tree);
  const { text, merged } = versions.stateOf(id)!;
  if (merged.text === text) return false;
  versions.write(id, merged.text, merged.parents);
  return true;
}

function run(seed: number): { text: string; offered: string[]; tokens: string[] } {
  const random = new Random(seed);
  const first = newPage(["start", "elsewhere"]);
  const id = first.id("start");
  const elsewhere = first.id("elsewhere");
  const devices = [first, alsoOn(first, "b")];
  const files = devices.map((device) => new Files(device));
  const tokens = ["start"];
  for (let step = 0; step < STEPS; step++) {
    const at = random.integer(0, devices.length - 1);
    const device = devices[at]!;
    const versions = TextVersions.of(device.tree);
    const kind = random.next();
    if (kind < 0.35) {
      const { text, parents } = versions.current(id);
      const words = text.split(" ");
      const token = `${device.tree.peerId}${String(step).padStart(2, "0")}`;
      tokens.push(token);
      words.splice(random.pick([0, words.length, random.integer(0, words.length)]), 0, token);
      versions.write(id, words.join(" "), parents);
    } else if (kind < 0.45) device.type(elsewhere, `elsewhere ${step}`);
    else if (kind < 0.55) files[at]!.begin();
    else if (kind < 0.65) mergeOn(device, id);
    else files[random.integer(0, devices.length - 1)]!.deliver(device, random);
  }
  for (let exchanges = 0; ; exchanges++) {
    sync(...devices);
    if (devices.filter((device) => mergeOn(device, id)).length === 0) break;
    if (exchanges > 9) throw new Error(`seed ${seed}: they never stop`);
  }
  const texts = devices.map(({ tree }) => TextVersions.of(tree).stored(id).text);
  expect(new Set(texts).size).toBe(1);
  const { conflicts } = TextVersions.of(first.tree).stateOf(id)!;
  return { text: texts[0]!, offered: conflicts.map(({ value }) => JSON.stringify(value)), tokens };
}

test("files of a device that arrive in any order make no word appear twice, and lose none", () => {
  const failures: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { text, tokens, offered } = run(seed);
    const found = text.split(" ").sort();
    const twice = found.filter((word, index) => word === found[index - 1]);
    const lost = tokens.filter((token) => ![text, ...offered].join(" ").includes(token));
    if (twice.length + lost.length > 0) failures.push(`seed ${seed}: twice ${twice.join()}, lost ${lost.join()}, in ${text}`);
  }
  expect(failures).toEqual([]);
});

test("a text that continues one which has not arrived is offered until then, and merged afterwards", async () => {
  const a = newPage(["some words", "elsewhere"]);
  const b = alsoOn(a, "b");
  const id = a.id("some words");
  b.type(id, "some words of b");
  a.tree.merge(b.tree.getAllOps());
  const before = a.tree.getAllOps().length;
  a.type(id, "all some words of b");
  const between = a.tree.getAllOps().slice(before);
  a.type(a.id("elsewhere"), "elsewhere, too");
  const afterwards = a.tree.getAllOps().length;
  a.type(id, "all some words of b and a");
  const last = a.tree.getAllOps().slice(afterwards);

  const watcher = new ConflictWatcher(b.tree);
  b.tree.merge(last);
  await notified();
  expect(drawn(watcher.conflicts)).toEqual(["all some words of b and a/some words of b"]);
  expect(watcher.unmerged.size).toBe(0);
  b.tree.merge(between);
  await notified();
  expect([watcher.conflicts, [...watcher.unmerged]]).toEqual([[], []]);
  expect(TextVersions.of(b.tree).stored(id).text).toBe("all some words of b and a");
  watcher.close();
});
