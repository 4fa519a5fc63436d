import { vi } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { FoldspaceError } from "../../src/errors.ts";
import { joinPath } from "../../src/fs/file-system.ts";
import { MemoryStore } from "../../src/layers/memory-layer.ts";
import { damageFile, DAMAGES, HARMLESS_DAMAGES, type Damage } from "../../src/testing/damage.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Random } from "../../src/testing/random.ts";
import { SimulatedSync, type SyncedFolder } from "../../src/testing/simulated-sync.ts";
import type { CallFault } from "../../src/testing/unreliable-file-system.ts";
import { newId } from "../../src/tree/index.ts";
import { Device, FOLDER, type Losses, type Session } from "./device.ts";
import { Editor } from "./editor.ts";
import { findViolations } from "./invariants.ts";
import { Ledger } from "./ledger.ts";

export interface FleetResult {
  readonly seed: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** Ids that cloned peers gave to two operations. */
  readonly contested: number;
  readonly faults: ReadonlyMap<string, number>;
  /** What does not hold in the end; nothing, unless there is a bug. */
  readonly violations: readonly string[];
  readonly history: readonly string[];
}

const START_MS = Date.UTC(2026, 0, 15, 12);
const TEN_YEARS_MS = 10 * 365.25 * 86_400_000;
/** In the time of the devices. */
const LONGEST_WAIT_MS = 600_000;
const PATIENCE_MS = 5_000;
const CALL_FAULTS: readonly CallFault[] = [
  "FOLD_DISK_FULL",
  "FOLD_PERMISSION",
  "FOLD_READ_ONLY",
  "FOLD_BUSY",
  "FOLD_IO",
  "slow call",
  "hanging call",
  "lost hint",
  "doubled hint",
];
/**
 * Runs some devices with faults of every kind, all of it from one seed, and tells in what the result differs from what
 * has to hold. The same seed gives the same run.
 */
export async function runFleet(seed: number): Promise<FleetResult> {
  const random = new Random(seed);
  const clock = new ManualClock(START_MS, () => new Promise((resolve) => setImmediate(resolve)));
  const now = vi.spyOn(Date, "now").mockImplementation(() => clock.now());
  const uuid = vi.spyOn(globalThis.crypto, "randomUUID").mockImplementation(() => {
    const [a, b, c, d, e] = [random.hex(8), random.hex(4), random.hex(4), random.hex(4), random.hex(12)] as const;
    return `${a}-${b}-${c}-${d}-${e}`;
  });
  try {
    return await new Fleet(seed, random, clock).run();
  } finally {
    uuid.mockRestore();
    now.mockRestore();
  }
}

class Fleet {
  readonly #seed: number;
  readonly #random: Random;
  readonly #clock: ManualClock;
  readonly #ledger = new Ledger();
  readonly #history: string[] = [];
  readonly #faults = new Map<string, number>();
  readonly #spaceId: string;
  readonly #losses: Losses;
  readonly #rates: Partial<Record<CallFault, number>>;
  readonly #devices: Device[] = [];
  readonly #folders = new Map<Device, SyncedFolder>();
  readonly #sync: SimulatedSync;
  /** Whether two devices run under one peer id. */
  readonly #hasClone: boolean;
  readonly #editor: Editor;
  #clones = 0;

  constructor(seed: number, random: Random, clock: ManualClock) {
    this.#seed = seed;
    this.#random = random;
    this.#clock = clock;
    this.#spaceId = newId();
    this.#hasClone = random.chance(0.15);
    // what clones made under one id cannot be told apart where one of both is lost
    this.#losses = this.#hasClone ? "none" : random.pick(["none", "in folders", "in folders", "in stores"]);
    const faults = CALL_FAULTS.filter(() => random.chance(0.4));
    this.#rates = Object.fromEntries(faults.map((kind) => [kind, random.pick([0.01, 0.05, 0.2])]));
    const style = random.pick([
      "copy of ours",
      "copies of both",
      "union",
      ...(this.#losses === "in folders" ? ["last wins" as const] : []),
    ] as const);
    this.#sync = new SimulatedSync(random, style);
    const count = random.integer(2, 4);
    for (let index = 0; index < count; index++) {
      const skewMs = random.chance(0.3) ? random.pick([-1, 1]) * TEN_YEARS_MS : random.integer(-5_000, 5_000);
      const device = new Device(`device ${index}`, this.#spaceId, skewed(clock, skewMs), this.#ledger, this.#losses);
      this.#devices.push(device);
      this.#folders.set(device, this.#sync.add(device.disk, FOLDER));
    }
    this.#editor = new Editor(random);
    this.#history.push(`${count} devices, losses ${this.#losses}, ${style}, calls: ${faults.join(", ") || "fine"}`);
  }

  async run(): Promise<FleetResult> {
    let violations: string[];
    try {
      await this.#live();
      violations = await findViolations(this.#spaceId, this.#devices, this.#ledger);
    } catch (error) {
      violations = [`it ended with ${String(error)}`];
    }
    const contested = this.#ledger.contested.size;
    if (contested > 0 && this.#clones === 0) violations.push(`${contested} ids stand for two operations, and nobody has noticed`);
    return {
      seed: this.#seed,
      operations: this.#ledger.issued.size,
      acknowledged: this.#ledger.acknowledged.size,
      contested,
      faults: this.#faults,
      violations,
      history: [...this.#history, ...this.#sync.history],
    };
  }

  async #live(): Promise<void> {
    const [first, ...others] = this.#devices;
    await this.#passing(first!.start({ seed: this.#seed, rates: {}, create: true }));
    await this.#settle();
    for (const device of others) await this.#start(device);
    if (this.#hasClone) await this.#clone();
    const rounds = this.#random.integer(10, 25);
    for (let round = 0; round < rounds; round++) {
      for (const device of this.#devices) await this.#passRound(device);
      await this.#clock.advance(this.#random.pick([20, 200, 700, 3_000, 31_000]));
    }
    await this.#reconcile();
  }

  // ---- what happens on a device ----

  async #passRound(device: Device): Promise<void> {
    const random = this.#random;
    const { session } = device;
    if (!session) {
      if (random.chance(0.5)) await this.#start(device);
      return;
    }
    if (random.chance(0.7)) await this.#edit(device, session);
    if (random.chance(0.4)) session.flush();
    if (random.chance(0.6) && !device.isUnmounted) {
      const share = random.pick([0.2, 0.7, 1]);
      await device.changeFromOutside(() => this.#sync.step(this.#folders.get(device)!, share));
    }
    if (random.chance(0.15)) await device.changeFromOutside(() => this.#damage(device));
    if (random.chance(0.05)) this.#fillStore(device, session);
    if (random.chance(0.03)) await this.#unmount(device);
    if (this.#losses === "in folders") {
      if (random.chance(0.03)) await this.#replaceRoot(device);
      if (random.chance(0.05) && this.#sync.rollBack()) this.#note("rolled back by the service");
    }
    if (random.chance(0.1) && !this.#hasClone) await this.#end(device, session);
  }

  /** Goes on without waiting for a tree that a hanging layer does not give. */
  async #edit(device: Device, session: Session): Promise<void> {
    const editing = this.#editor.edit(device, session);
    const patience = new Promise<void>((resolve) => void this.#clock.schedule(PATIENCE_MS, resolve));
    await this.#passing(Promise.race([editing, patience]));
  }

  async #start(
    device: Device,
    rates: Readonly<Partial<Record<CallFault, number>>> = this.#rates,
    peerId?: string,
  ): Promise<void> {
    const seed = this.#random.integer(0, 2 ** 32 - 1);
    await this.#passing(device.start({ seed, rates, ...(peerId !== undefined && { peerId }) }));
    // one that did not open, as with a folder that is not there
    if (!device.session) this.#history.push(`${device.name} did not open`);
  }

  async #end(device: Device, session: Session): Promise<void> {
    const how = this.#random.pick(["closed", "killed", "killed in the next append"] as const);
    this.#count(session.fs.counts);
    this.#note(how, device.name);
    if (how === "killed in the next append") await this.#passing(session.killInAppend(this.#random.next()));
    if (how === "closed") await this.#passing(device.close());
    else device.kill();
    if (this.#losses !== "in stores" || !this.#random.chance(0.3)) return;
    this.#note("store cleared", device.name);
    device.store = new MemoryStore();
  }

  /** Two run under one peer id, as after a profile was copied. */
  async #clone(): Promise<void> {
    const [one, other] = this.#devices as [Device, Device];
    if (!one.session) return;
    await this.#passing(other.close());
    await this.#start(other, this.#rates, one.session.space.peerId);
    this.#note("cloned peer", `${other.name} is a clone of ${one.name}`);
  }

  // ---- faults ----

  async #damage(device: Device): Promise<void> {
    const damage = this.#random.pick<Damage>(this.#losses === "in folders" ? DAMAGES : HARMLESS_DAMAGES);
    const files = (await device.disk.scan(FOLDER))?.files.filter(({ path }) => path.endsWith(".jsonl")) ?? [];
    if (files.length === 0) return;
    const { path } = this.#random.pick(files);
    if (damage === "evicted" && !(await this.#sync.isCarried(this.#folders.get(device)!, path))) return;
    const done = await damageFile(device.disk, joinPath(FOLDER, path), damage, this.#random);
    if (done !== undefined) this.#note(damage, `${device.name}: ${done}`);
  }

  /** The store refuses for a while, as a browser does whose quota is used up. */
  #fillStore(device: Device, { store }: Session): void {
    this.#note("store full", device.name);
    store.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "The quota is used up");
    device.clock.schedule(this.#random.integer(100, 20_000), () => (store.refuseWith = undefined));
  }

  async #unmount(device: Device): Promise<void> {
    if (device.isUnmounted) return;
    this.#note("unmounted", device.name);
    await device.unmount();
    device.clock.schedule(this.#random.integer(100, 40_000), () => void device.mount());
  }

  /** The service sets the folder up anew: what it has not carried away yet is gone from there. */
  async #replaceRoot(device: Device): Promise<void> {
    if (device.isUnmounted) return;
    this.#note("root replaced", device.name);
    const folder = this.#folders.get(device)!;
    await device.disk.rename(FOLDER, `/old ${this.#history.length}`);
    folder.left.clear();
    await this.#sync.step(folder, 1);
  }

  // ---- the end ----

  /** Ends all faults, and has everything carried and looked at until nothing changes any more. */
  async #reconcile(): Promise<void> {
    for (const device of this.#devices) {
      if (device.session) this.#count(device.session.fs.counts);
      device.session?.heal();
      await device.mount();
      if (!device.session) await this.#start(device, {});
    }
    await this.#carryAll();
    if (this.#hasClone)
      this.#clones = this.#devices.flatMap(
        ({ session }) => session?.space.problems.filter(({ code }) => code === "FOLD_PEER_CLONED") ?? [],
      ).length;
    for (const device of this.#devices) {
      await this.#passing(device.close());
      await this.#start(device, {});
    }
    await this.#carryAll();
  }

  async #carryAll(): Promise<void> {
    for (let round = 0, versions = -1; round < 3 || versions !== this.#sync.versions; round++) {
      versions = this.#sync.versions;
      if (round > 20) throw new Error("the devices never come to rest");
      await this.#settle();
      await this.#clock.advance(40_000);
      for (const { session } of this.#devices) if (session) await this.#passing(session.space.whenSynced());
    }
  }

  async #settle(): Promise<void> {
    let settle = (): Promise<void> => this.#sync.settle();
    for (const device of this.#devices) {
      const inner = settle;
      settle = () => device.changeFromOutside(inner);
    }
    await settle();
  }

  #note(kind: string, words: string = kind): void {
    this.#history.push(words === kind ? kind : `${kind}: ${words}`);
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
  }

  #count(counts: ReadonlyMap<string, number>): void {
    for (const [kind, count] of counts) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
  }

  /** Waits for something while time passes. */
  async #passing<T>(task: Promise<T>): Promise<T> {
    const state = { isDone: false };
    const done = task.finally(() => (state.isDone = true));
    // whoever awaits it below is told of a failure
    done.catch(() => undefined);
    for (let waitedMs = 0; !state.isDone; waitedMs += 50) {
      if (waitedMs > LONGEST_WAIT_MS) throw new Error("something hangs");
      await this.#clock.advance(50);
    }
    return await done;
  }
}

function skewed(clock: Clock, skewMs: number): Clock {
  return { now: () => clock.now() + skewMs, schedule: (delayMs, run) => clock.schedule(delayMs, run) };
}
