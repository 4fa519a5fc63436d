import { vi } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { FoldspaceError } from "../../src/errors.ts";
import { joinPath } from "../../src/fs/file-system.ts";
import { damageFile, DAMAGES, HARMLESS_DAMAGES, type Damage } from "../../src/testing/damage.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Random } from "../../src/testing/random.ts";
import { SimulatedSync, type SyncedFolder } from "../../src/testing/simulated-sync.ts";
import type { CallFault } from "../../src/testing/unreliable-file-system.ts";
import { MemoryPeerStore } from "../../src/peers/memory-peer-pool.ts";
import { MemorySnapshots } from "../../src/testing/memory-snapshots.ts";
import { newId } from "../../src/tree/index.ts";
import { Device, type Profile } from "./device.ts";
import { Editor } from "./editor.ts";
import { findPastFaults, findViolations } from "./invariants.ts";
import { Ledger } from "./ledger.ts";
import { FOLDER } from "./place.ts";
import type { Session } from "./session.ts";
import { findRepeatedWrites } from "./single-writes.ts";
import type { Hang, Losses, Reopening, Tab } from "./tab.ts";

/** `rough`: with faults of every kind. `calm`: without any, so that nothing may be written twice. */
export type Weather = "rough" | "calm";

export interface FleetResult {
  readonly seed: number;
  readonly weather: Weather;
  /** Whether the devices keep their peers. */
  readonly keepsPeers: boolean;
  /** Peers that have made operations. */
  readonly peers: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** Ids that cloned peers gave to two operations. */
  readonly contested: number;
  /** See `Tab`. */
  readonly resumptions: number;
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
/** More than any layer waits before it saves. */
const SAVED_AFTER_MS = 2_500;
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
const HANGING_STEPS: readonly Hang["step"][] = [
  "connect",
  "disconnect",
  "listTrees",
  "loadTreeOps",
  "saveTreeOps",
  "flush",
  "rescanTree",
  "startListening",
];

/**
 * Runs some devices with faults of every kind, all of it from one seed, and tells in what the result differs from what
 * has to hold. The same seed gives the same run.
 */
export async function runFleet(
  seed: number,
  weather: Weather = "rough",
  { keepsPeers = false, keepsSnapshots = false }: { readonly keepsPeers?: boolean; readonly keepsSnapshots?: boolean } = {},
): Promise<FleetResult> {
  const random = new Random(seed);
  const clock = new ManualClock(START_MS, () => new Promise((resolve) => setImmediate(resolve)));
  const now = vi.spyOn(Date, "now").mockImplementation(() => clock.now());
  // otherwise how busy the machine is decides where long work lets other tasks run
  const elapsed = vi.spyOn(performance, "now").mockImplementation(() => clock.now());
  const uuid = vi.spyOn(globalThis.crypto, "randomUUID").mockImplementation(() => {
    const [a, b, c, d, e] = [random.hex(8), random.hex(4), random.hex(4), random.hex(4), random.hex(12)] as const;
    return `${a}-${b}-${c}-${d}-${e}`;
  });
  const fleet = new Fleet(seed, weather, keepsPeers, random, clock);
  if (keepsSnapshots) fleet.keepSnapshots();
  const noteRejection = (reason: unknown): void => fleet.complain(`nobody has handled ${describe(reason)}`);
  process.on("unhandledRejection", noteRejection);
  try {
    return await fleet.run();
  } finally {
    process.off("unhandledRejection", noteRejection);
    uuid.mockRestore();
    elapsed.mockRestore();
    now.mockRestore();
  }
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}

class Fleet {
  readonly #seed: number;
  readonly #weather: Weather;
  readonly #random: Random;
  readonly #clock: ManualClock;
  readonly #ledger = new Ledger();
  readonly #history: string[] = [];
  readonly #faults = new Map<string, number>();
  readonly #spaceId: string;
  readonly #losses: Losses;
  readonly #rates: Partial<Record<CallFault, number>>;
  /** Whether layers stop answering. */
  readonly #hasHangs: boolean;
  /** Whether folders are exchanged for another space's. */
  readonly #hasSwaps: boolean;
  readonly #devices: Device[] = [];
  readonly #folders = new Map<Device, SyncedFolder>();
  readonly #sync: SimulatedSync;
  /** Whether two devices run under one peer id. */
  readonly #hasClone: boolean;
  readonly #editor: Editor;
  readonly #keepsPeers: boolean;
  /** Whether backups of profiles are put back. */
  readonly #hasBackups: boolean = false;
  readonly #backups = new Map<Device, Profile>();
  #restorations = 0;
  /** Those that run under one peer id. */
  #clones: readonly (Session | undefined)[] = [];
  /** Whether they still run when everything is carried: later sessions are no clones, and repeat what both made without a report. */
  #clonesMeet = false;
  #clonesNoticed = 0;

  constructor(seed: number, weather: Weather, keepsPeers: boolean, random: Random, clock: ManualClock) {
    this.#seed = seed;
    this.#weather = weather;
    this.#keepsPeers = keepsPeers;
    this.#random = random;
    this.#clock = clock;
    this.#spaceId = newId();
    const isRough = weather === "rough";
    this.#hasClone = isRough && random.chance(0.15);
    // what clones made under one id cannot be told apart where one of both is lost
    this.#losses = this.#hasClone || !isRough ? "none" : random.pick(["none", "in folders", "in folders", "in stores"]);
    const faults = isRough ? CALL_FAULTS.filter(() => random.chance(0.4)) : [];
    this.#rates = Object.fromEntries(faults.map((kind) => [kind, random.pick([0.01, 0.05, 0.2])]));
    const style = random.pick([
      "copy of ours",
      "copies of both",
      "union",
      ...(this.#losses === "in folders" ? ["last wins" as const] : []),
    ] as const);
    this.#sync = new SimulatedSync(random, style);
    this.#hasHangs = isRough && random.chance(0.3);
    this.#hasSwaps = isRough && random.chance(0.3);
    // in which of several tabs an id was given twice is more than what is known of clones so far
    const hasTabs = random.chance(0.4) && !this.#hasClone;
    const count = random.integer(2, 4);
    for (let index = 0; index < count; index++) {
      const skewMs = random.chance(0.3) ? random.pick([-1, 1]) * TEN_YEARS_MS : random.integer(-5_000, 5_000);
      const tabCount = hasTabs ? random.integer(1, 3) : 1;
      const device = new Device(`device ${index}`, this.#spaceId, skewed(clock, skewMs), {
        ledger: this.#ledger,
        losses: this.#losses,
        tabCount,
      });
      this.#devices.push(device);
      this.#folders.set(device, this.#sync.add(device.disk, FOLDER));
    }
    this.#editor = new Editor(random);
    if (keepsPeers) {
      this.#hasBackups = this.#losses === "in stores" && !hasTabs && random.chance(0.5);
      for (const device of this.#devices) {
        device.peers = new MemoryPeerStore();
        device.reserveMs = random.pick([0, 0, 5, 300]);
      }
    }
    const tabs = this.#devices.map((device) => device.tabs.length).join(" + ");
    this.#history.push(
      `${weather}: ${count} devices with ${tabs} tabs, losses ${this.#losses}, ${style}, calls: ${faults.join(", ") || "fine"}` +
        `${this.#hasHangs ? ", layers that hang" : ""}${this.#hasSwaps ? ", folders that are swapped" : ""}` +
        `${keepsPeers ? ", peers that are kept" : ""}${this.#hasBackups ? ", backups of profiles" : ""}`,
    );
  }

  /** Two of three devices keep snapshots. */
  keepSnapshots(): void {
    for (const [index, device] of this.#devices.entries())
      if (index % 3 !== 2) device.snapshots = new MemorySnapshots({ minOps: 1 });
  }

  complain(words: string): void {
    this.#ledger.complain(words);
  }

  async run(): Promise<FleetResult> {
    let violations: string[];
    try {
      await this.#live();
      // a tree that is loaded for it waits until the device has reserved counters
      violations = await this.#passing(findViolations(this.#spaceId, this.#devices, this.#ledger));
      if (this.#weather === "calm") violations.push(...this.#devices.flatMap(findRepeatedWrites));
      violations.push(...(await this.#end()));
    } catch (error) {
      violations = [`it ended with ${describe(error)}`];
    }
    const contested = this.#ledger.contested.size;
    const areClonesUnnoticed = this.#clonesMeet && this.#clonesNoticed === 0;
    if (contested > 0 && this.#restorations === 0 && (!this.#hasClone || areClonesUnnoticed))
      violations.push(
        `${contested} ids stand for two operations, and ${this.#hasClone ? "nobody has noticed" : "nobody was cloned"}`,
      );
    return {
      seed: this.#seed,
      weather: this.#weather,
      keepsPeers: this.#keepsPeers,
      peers: this.#ledger.peers,
      operations: this.#ledger.issued.size,
      acknowledged: this.#ledger.acknowledged.size,
      contested,
      resumptions: this.#devices.flatMap(({ history }) => history).reduce((sum, tab) => sum + tab.resumptions, 0),
      faults: this.#faults,
      violations: [...violations, ...this.#ledger.complaints],
      history: [...this.#history, ...this.#sync.history],
    };
  }

  async #live(): Promise<void> {
    const [first, ...others] = this.#devices;
    await this.#passing(first!.start(0, { seed: this.#seed, rates: {}, create: true }));
    await this.#settle();
    for (const device of others) await this.#start(device, 0);
    if (this.#hasClone) await this.#clone();
    for (const device of this.#devices)
      for (let number = 1; number < device.tabs.length; number++) await this.#start(device, number);
    const rounds = this.#random.integer(10, 25);
    for (let round = 0; round < rounds; round++) {
      for (const device of this.#devices) await this.#passRound(device);
      await this.#clock.advance(this.#random.pick([20, 200, 700, 3_000, 31_000]));
    }
    await this.#reconcile();
  }

  // ---- what happens on a device ----

  async #passRound(device: Device): Promise<void> {
    for (let number = 0; number < device.tabs.length; number++) await this.#passTabRound(device, number);
    if (!device.tabs.some((tab) => tab?.session)) return;
    const random = this.#random;
    const isRough = this.#weather === "rough";
    if (random.chance(0.6) && device.place.isOurs) {
      // a part of a file, which a service may bring at first, looks as if the rest were lost
      const share = isRough ? random.pick([0.2, 0.7, 1]) : 1;
      await device.changeFromOutside(() => this.#sync.step(this.#folders.get(device)!, share));
    }
    if (random.chance(0.08)) await this.#editFromElsewhere(device);
    if (!isRough) return;
    if (random.chance(0.15)) await device.changeFromOutside(() => this.#damage(device));
    if (random.chance(0.03)) await this.#unmount(device);
    if (this.#hasSwaps && random.chance(0.08)) await this.#swap(device);
    if (this.#hasBackups && random.chance(0.1)) this.#backUpOrRestore(device);
    if (this.#losses === "in folders") {
      if (random.chance(0.03)) await this.#replaceRoot(device);
      if (random.chance(0.05) && this.#sync.rollBack()) this.#note("rolled back by the service");
    }
  }

  async #passTabRound(device: Device, number: number): Promise<void> {
    const random = this.#random;
    const tab = device.tabs[number];
    const session = tab?.session;
    if (!tab || !session) {
      if (random.chance(0.5)) await this.#start(device, number);
      return;
    }
    if (random.chance(0.7)) await this.#edit(session);
    if (random.chance(0.4)) session.flush();
    this.#call(session);
    if (this.#weather === "rough") {
      if (random.chance(0.05)) this.#fillStore(device, tab);
      if (this.#hasHangs && random.chance(0.1)) this.#hang(tab, this.#pickHang());
      if (random.chance(0.1) && !this.#hasClone) return await this.#endTab(device, number, tab);
    }
    if (random.chance(0.06) && !this.#hasClone) await this.#reopen(tab);
  }

  /** Goes on without waiting for a tree that a hanging layer does not give. */
  async #edit(session: Session): Promise<void> {
    const editing = this.#editor.edit(session);
    const patience = new Promise<void>((resolve) => void this.#clock.schedule(PATIENCE_MS, resolve));
    await this.#passing(Promise.race([editing, patience]));
  }

  /** Makes some calls that nobody waits for. */
  #call(session: Session): void {
    const random = this.#random;
    if (random.chance(0.15)) session.sync();
    if (random.chance(0.05)) session.list();
    if (random.chance(0.05)) session.rescan();
    const treeIds = this.#editor.treesOf(session).filter((treeId) => treeId !== session.space.id);
    if (treeIds.length === 0) return;
    if (random.chance(0.05)) session.load(random.pick(treeIds));
    if (random.chance(0.1)) session.unload(random.pick(treeIds));
  }

  /** Has somebody edit a tree who does not have the space open, whether a tab has the tree open or none. */
  async #editFromElsewhere(device: Device): Promise<void> {
    const treeIds = device.store.treeIds.filter((treeId) => treeId !== this.#spaceId);
    if (treeIds.length === 0 || !device.place.isOurs) return;
    const [treeId, where] = [this.#random.pick(treeIds), this.#random.pick(["folder", "store"] as const)];
    this.#note("edit from elsewhere", `${device.name}'s ${where}`);
    await this.#passing(device.editFromElsewhere(treeId, where, (tree) => this.#editor.editTree(tree)));
  }

  async #start(
    device: Device,
    number: number,
    rates: Readonly<Partial<Record<CallFault, number>>> = this.#rates,
    peerId?: string,
  ): Promise<void> {
    const seed = this.#random.integer(0, 2 ** 32 - 1);
    const hangs = this.#hasHangs && rates === this.#rates && this.#random.chance(0.3) ? [this.#pickHang()] : [];
    for (const hang of hangs) this.#noteHang(device.name, hang);
    await this.#passing(device.start(number, { seed, rates, hangs, ...(peerId !== undefined && { peerId }) }));
    // one that did not open, as with a folder that is not there
    if (!device.tabs[number]?.session) this.#history.push(`${device.name} did not open`);
  }

  async #endTab(device: Device, number: number, tab: Tab): Promise<void> {
    const how = this.#random.pick(["closed", "killed", "killed in the next append"] as const);
    this.#count(tab.fs.counts);
    this.#note(how, tab.name);
    if (how === "killed in the next append") await this.#passing(tab.killInAppend(this.#random.next()));
    if (how === "closed") await this.#passing(tab.close());
    else tab.kill();
    device.tabs[number] = undefined;
    if (this.#losses !== "in stores" || !this.#random.chance(0.3)) return;
    this.#note("store cleared", device.name);
    device.clearStore();
    if (!device.peers || !this.#random.chance(0.3)) return;
    this.#note("peers cleared", device.name);
    device.peers = new MemoryPeerStore();
  }

  /** Closes a space while calls are under way, and asks for it again at once. */
  async #reopen(tab: Tab): Promise<void> {
    const random = this.#random;
    const how = random.pick<Reopening>(["close, load", "load, close", "space closed, load"]);
    const hasNewLayers = random.chance(0.5);
    this.#note("reopened", `${tab.name}: ${how}, with ${hasNewLayers ? "new" : "the same"} layers`);
    // at the end a space relays at once what a layer lacks, also what another tab is just about to write there
    if (this.#weather === "calm") await this.#clock.advance(SAVED_AFTER_MS);
    if (random.chance(0.5)) tab.session?.sync();
    if (random.chance(0.5)) tab.session?.flush();
    await this.#passing(tab.reopen(how, hasNewLayers));
    if (!tab.session) this.#history.push(`${tab.name} did not open again`);
  }

  /** Backs up a profile, or puts the backup back, which is older than what the folder has. */
  #backUpOrRestore(device: Device): void {
    const backup = this.#backups.get(device);
    if (!backup) {
      this.#backups.set(device, device.backUp());
      return;
    }
    this.#note("profile restored", device.name);
    this.#restorations++;
    device.restore(backup);
  }

  /** Two run under one peer id, as after a profile was copied. */
  async #clone(): Promise<void> {
    const [one, other] = this.#devices.map((device) => device.tabs[0]);
    if (!one?.session) return;
    if (other) await this.#passing(other.close());
    const { peers } = this.#devices[0]!;
    if (peers) this.#devices[1]!.peers = peers.copy();
    await this.#start(this.#devices[1]!, 0, this.#rates, peers ? undefined : one.session.space.peerId);
    this.#clones = [one.session, this.#devices[1]!.tabs[0]?.session];
    this.#note("cloned peer", `${this.#devices[1]!.name} is a clone of ${one.name}`);
  }

  // ---- faults ----

  #pickHang(): Hang {
    const random = this.#random;
    return {
      layer: random.pick(["store", "folder", "folder"] as const),
      step: random.pick(HANGING_STEPS),
      moment: random.pick(["before", "answer"] as const),
      ms: random.chance(0.2) ? undefined : random.integer(100, 60_000),
    };
  }

  #hang(tab: Tab, hang: Hang): void {
    this.#noteHang(tab.name, hang);
    tab.hang(hang);
  }

  #noteHang(name: string, { layer, step, moment, ms }: Hang): void {
    this.#note("hanging layer", `${name}'s ${layer}: ${step}, ${moment}, ${ms === undefined ? "for good" : `${ms} ms`}`);
  }

  async #damage(device: Device): Promise<void> {
    const damage = this.#random.pick<Damage>(this.#losses === "in folders" ? DAMAGES : HARMLESS_DAMAGES);
    if (!device.place.isOurs) return;
    const files = (await device.disk.scan(FOLDER))?.files.filter(({ path }) => path.endsWith(".jsonl")) ?? [];
    if (files.length === 0) return;
    const { path } = this.#random.pick(files);
    if (damage === "evicted" && !(await this.#sync.isCarried(this.#folders.get(device)!, path))) return;
    const done = await damageFile(device.disk, joinPath(FOLDER, path), damage, this.#random);
    if (done !== undefined) this.#note(damage, `${device.name}: ${done}`);
  }

  /** The store refuses for a while, as a browser does whose quota is used up. */
  #fillStore(device: Device, { name, store }: Tab): void {
    this.#note("store full", name);
    store.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "The quota is used up");
    device.clock.schedule(this.#random.integer(100, 20_000), () => (store.refuseWith = undefined));
  }

  async #unmount(device: Device): Promise<void> {
    if (!device.place.isOurs) return;
    this.#note("unmounted", device.name);
    await device.place.unmount();
    device.clock.schedule(this.#random.integer(100, 40_000), () => void device.place.restore());
  }

  async #swap(device: Device): Promise<void> {
    if (!device.place.isOurs) return;
    await this.#clock.advance(0);
    this.#note("folder swapped", device.name);
    await device.place.swap();
    device.clock.schedule(this.#random.integer(100, 60_000), () => void device.place.restore());
  }

  /** The service sets the folder up anew: what it has not carried away yet is gone from there. */
  async #replaceRoot(device: Device): Promise<void> {
    if (!device.place.isOurs) return;
    this.#note("root replaced", device.name);
    const folder = this.#folders.get(device)!;
    await device.disk.rename(FOLDER, `/old ${this.#history.length}`);
    folder.left.clear();
    await this.#sync.step(folder, 1);
  }

  // ---- the end ----

  /** Ends all faults, and has everything carried and looked at until nothing changes any more. */
  async #reconcile(): Promise<void> {
    this.#countClones();
    for (const device of this.#devices) {
      await device.place.restore();
      for (const tab of device.history) if (!tab.isDead) tab.heal();
    }
    // one that was open all the time finds its folder again by itself
    await this.#clock.advance(120_000);
    for (const device of this.#devices) {
      for (const [number, tab] of device.tabs.entries()) {
        if (tab) this.#count(tab.fs.counts);
        // that a layer has found another space's folder when it was opened is final
        const isRefused = tab?.session?.space.status.layers.some(({ error }) => error?.code === "FOLD_SPACE_MISMATCH") ?? false;
        if (tab && isRefused) await this.#passing(tab.close());
        if (!tab?.session) await this.#start(device, number, {});
      }
    }
    await this.#carryAll();
    await this.#complainOfPastFaults();
    this.#countClones();
    this.#clonesMeet = this.#clones.length > 0 && this.#clones.every((session) => session && this.#sessions.includes(session));
    for (const device of this.#devices) {
      for (const [number, tab] of device.tabs.entries()) {
        if (tab) await this.#passing(tab.close());
        await this.#start(device, number, {});
      }
    }
    await this.#carryAll();
  }

  /** Closes everything. @returns what has been left behind */
  async #end(): Promise<string[]> {
    const violations: string[] = [];
    for (const device of this.#devices) {
      for (const tab of device.tabs)
        if (tab && !(await this.#passing(tab.close())))
          violations.push(`${tab.name} could not save everything when it was closed`);
      device.place.inspect();
      for (const words of device.place.intrusions) violations.push(`${device.name}: ${words}`);
      for (const tab of device.history) {
        if (tab.timerCount > 0) violations.push(`${tab.name} has ${tab.timerCount} timers left`);
        if (tab.underWay.length > 0) violations.push(`${tab.name} has calls that have not ended: ${tab.underWay.join(", ")}`);
      }
    }
    return violations;
  }

  #countClones(): void {
    if (!this.#hasClone) return;
    const problems = this.#sessions.flatMap(({ space }) => space.problems);
    this.#clonesNoticed += problems.filter(({ code }) => code === "FOLD_PEER_CLONED").length;
  }

  get #sessions(): Session[] {
    return this.#devices.flatMap((device) => device.tabs.flatMap((tab) => tab?.session ?? []));
  }

  async #carryAll(): Promise<void> {
    for (let round = 0, versions = -1; round < 3 || versions !== this.#sync.versions; round++) {
      versions = this.#sync.versions;
      if (round > 20) throw new Error("the devices never come to rest");
      await this.#settle();
      await this.#clock.advance(40_000);
      for (const session of this.#sessions) await this.#passing(session.space.whenSynced());
    }
  }

  async #complainOfPastFaults(): Promise<void> {
    for (const session of this.#sessions) {
      const { space } = session;
      // the report of a call that failed is about the last call
      await this.#passing(Promise.all([space.rescan(), space.listTrees()]));
      for (const words of findPastFaults(session)) this.complain(words);
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
