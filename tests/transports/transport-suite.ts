import { expect, test } from "vitest";
import { Random } from "../../src/testing/random.ts";
import { editAtRandom } from "./editing.ts";
import { figuresOf, inSeconds, tell } from "./figures.ts";
import { Rig, type Connect } from "./rig.ts";
import { isFull } from "./mode.ts";
import { pause } from "./until.ts";
import { FileOfTwo } from "./writing-by-hand.ts";
import type { Device } from "./device.ts";

export interface Traits {
  /** Names of the copies that it makes of a log of which it has two versions; without, it merges them or drops one. */
  readonly copies?: RegExp;
  /** Whether it keeps both versions of the file `secrets`, and not only one of them. */
  readonly keepsBothSecrets: boolean;
  /** Paths of the copies that it makes of that file. */
  readonly secretsCopies?: RegExp;
}

const LONGEST_TEST_MS = 300_000;
const SOON_MS = 60_000;
const EDITING_MS = isFull ? 30_000 : 4_000;
const EDITS_SEEN = isFull ? 20 : 5;
const MANY = 2_000;
const SEED = 20_261_122;
/** Of different lengths: rsync takes two versions for one that have the same size and were written in the same second. */
const VALUES = ["value of the first", "value of the second, a longer one"];

/** Holds that two devices lose nothing and end equal, whatever a transport does to their folders. */
export function testTransport(name: string, traits: Traits, connect: Connect): void {
  const options = { timeout: LONGEST_TEST_MS };

  test("what both edit at the same time reaches both", options, async () => {
    const rig = await Rig.open(connect);
    const random = new Random(SEED);
    const end = Date.now() + EDITING_MS;
    while (Date.now() < end) {
      const { tree } = random.pick(rig.devices).space;
      for (let edits = random.integer(1, 5); edits > 0; edits--) editAtRandom(tree, random);
      await pause(random.integer(20, 200));
    }
    expect(await rig.conclude()).toEqual(new Map());
  });

  test("what both did while they were apart is joined", options, async () => {
    const rig = await Rig.open(connect);
    const [one, two] = rig.devices.map(({ space }) => space.tree) as [Device["space"]["tree"], Device["space"]["tree"]];
    const list = one.root!.newNamedChild("list");
    const [edited, deleted, left, right] = ["edited", "deleted", "left", "right"].map((title) => list.newNamedChild(title));
    await rig.agree();
    await rig.transport.part();
    for (const [index, device] of rig.devices.entries()) {
      const { tree } = device.space;
      tree.setVertexProperty(edited!.id, "text", `of ${index}`);
      tree.setVertexProperty(edited!.id, `of ${index}`, true);
      device.newAppTree(`tree of ${index}`).root!.newNamedChild(`vertex of ${index}`);
      const random = new Random(SEED + index);
      const playground = tree.newNamedVertex(list.id, `playground of ${index}`);
      for (let edits = 0; edits < 50; edits++) playground.newChild().setProperty("text", random.hex(8));
    }
    one.deleteVertex(deleted!.id);
    two.newNamedVertex(deleted!.id, "below what the other deletes");
    one.moveVertex(left!.id, right!.id);
    two.moveVertex(right!.id, left!.id);
    for (const device of rig.devices) await device.space.flush();
    await rig.transport.join();
    await rig.agree();

    for (const tree of [one, two]) {
      expect(tree.getVertex(edited!.id)?.getProperties()).toMatchObject({
        "of 0": true,
        "of 1": true,
        text: expect.stringMatching(/^of [01]$/),
      });
      expect(tree.isAncestor(deleted!.id, tree.root!.id)).toBe(false);
      const isLeftAbove = tree.isAncestor(right!.id, left!.id);
      expect(tree.isAncestor(left!.id, right!.id)).toBe(!isLeftAbove);
      expect(tree.getParentId(isLeftAbove ? left!.id : right!.id)).toBe(list.id);
    }
    for (const { space } of rig.devices)
      expect(space.appTrees.map((entry) => entry.name).sort()).toEqual(["tree of 0", "tree of 1"]);
    expect(await rig.conclude()).toEqual(new Map());
    for (const device of rig.devices) expect(device.treeIds).toHaveLength(3);
  });

  test("a file that two have written by hand is read, whatever becomes of it", options, async () => {
    const rig = await Rig.open(connect);
    const file = new FileOfTwo(rig);
    file.write(rig.one.folder, 1);
    await rig.agree();
    await rig.transport.part();
    for (const [index, device] of rig.devices.entries()) {
      const written = file.write(device.folder, 1 + index);
      await rig.until(() =>
        device.shown.includes(written)
          ? undefined
          : `the device of ${device.folder} does not show what was written by hand beside it`,
      );
    }
    await rig.transport.join();
    const problems = await rig.conclude();
    const names = rig.devices.flatMap(({ folder }) => file.namesIn(folder));
    if (names.length > 0) tell(`${name}: beside a file of two writers stand ${[...new Set(names)].join(", ")}`);
    const copies = names.filter((copy) => traits.copies?.test(copy));
    expect(copies.length > 0).toBe(traits.copies !== undefined);
    const reported = [...(problems.get("FOLD_CONFLICT_COPY") ?? [])].map((path) =>
      path.split("/").at(-1)!.replace(file.peerId, "{peer}"),
    );
    expect(new Set(reported)).toEqual(new Set(copies));
    expect([...problems.keys()]).toEqual(copies.length > 0 ? ["FOLD_CONFLICT_COPY"] : []);
    for (const path of problems.get("FOLD_CONFLICT_COPY") ?? [])
      expect(rig.devices.some(({ copiesSeen }) => copiesSeen.has(path))).toBe(true);
  });

  test("secrets that both set while they were apart are joined", options, async () => {
    const rig = await Rig.open(connect);
    rig.one.space.secrets.set("shared", "at first");
    await untilSecretsAre(rig, { shared: "at first" });
    await rig.transport.part();
    for (const [index, { space }] of rig.devices.entries()) {
      space.secrets.set(`of ${index}`, VALUES[index]!);
      await space.flush();
    }
    await rig.transport.join();
    const both = { shared: "at first", "of 0": VALUES[0]!, "of 1": VALUES[1]! };
    if (traits.keepsBothSecrets) await untilSecretsAre(rig, both);
    else await untilSecretsAre(rig, { shared: "at first", "of 0": VALUES[0]! }, { shared: "at first", "of 1": VALUES[1]! }, both);
    const copies = [...new Set(rig.devices.flatMap(({ copiesSeen }) => [...copiesSeen]))];
    if (copies.length > 0) tell(`${name}: copies of secrets were ${copies.join(", ")}`);
    expect(copies.some((path) => traits.secretsCopies?.test(path))).toBe(traits.secretsCopies !== undefined);
    expect(await rig.conclude()).toEqual(new Map());
  });

  test("secrets under a passphrase that both set while they were apart are joined", options, async () => {
    const rig = await Rig.open(connect);
    rig.one.space.secrets.set("shared", "at first");
    await untilSecretsAre(rig, { shared: "at first" });
    await rig.one.space.secrets.protect("a passphrase");
    await rig.until(() =>
      rig.two.space.secrets.protection === "locked" ? undefined : "the second device does not know of the passphrase",
    );
    await rig.two.space.secrets.unlock("a passphrase");
    await rig.transport.part();
    for (const [index, { space }] of rig.devices.entries()) {
      space.secrets.set(`of ${index}`, VALUES[index]!);
      await space.flush();
    }
    await rig.transport.join();
    await untilSecretsAre(rig, { shared: "at first", "of 0": VALUES[0]!, "of 1": VALUES[1]! });
    for (const { space } of rig.devices) expect(space.secrets.protection).toBe("unlocked");
    expect(await rig.conclude()).toEqual(new Map());
  });

  test("an edit is seen, and many are", options, async () => {
    const rig = await Rig.open(connect);
    const root = rig.one.space.tree.root!;
    const random = new Random(SEED);
    const delays: number[] = [];
    for (let edit = 0; edit < EDITS_SEEN; edit++) {
      const start = performance.now();
      const { id } = root.newNamedChild(`edit ${edit}`);
      await seen(rig, id);
      delays.push(performance.now() - start);
      await pause(random.integer(500, 1_500));
    }
    const start = performance.now();
    for (let edit = 0; edit < MANY; edit += 3) root.newNamedChild("one of many");
    const last = root.newNamedChild("the last").id;
    await seen(rig, last);
    const { median, worst, count } = figuresOf(delays);
    tell(
      `${name}: an edit is seen after ${median} (median of ${count}, at worst ${worst}), ${MANY} operations after ${inSeconds(performance.now() - start)}`,
    );
    expect(await rig.conclude()).toEqual(new Map());
  });
}

/** Waits until the second device knows a vertex. */
async function seen({ two, transport }: Rig, vertexId: string): Promise<void> {
  let stop = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => reject(transport.failure ?? new Error(`An edit is not seen after ${inSeconds(SOON_MS)}`));
      timer = setTimeout(giveUp, SOON_MS);
      stop = two.space.tree.observeOpApplied(({ targetId }) => {
        if (targetId === vertexId) resolve();
      });
    });
  } finally {
    clearTimeout(timer);
    stop();
  }
}

async function untilSecretsAre(rig: Rig, ...wanted: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const inOrder = (secrets: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(secrets).sort());
  await rig.until(() => {
    const [one, two] = rig.devices.map(({ space }) => JSON.stringify(space.secrets.entries().sort()));
    if (one === two && wanted.some((secrets) => inOrder(secrets) === one)) return undefined;
    return `the devices have the secrets ${one} and ${two}, not ${wanted.map(inOrder).join(" or ")}`;
  });
}
