import { TreeReplication, type ReplicationEffect } from "../../src/space/replication/tree-replication.ts";
import type { VertexOperation } from "../../src/tree/index.ts";

/*
 * A small world around the replication state machine: two tabs of one browser, two layers that both use, three operations, and
 * whatever may happen in between in any order. The machine is the real one; layers, queues and notifications are modelled.
 *
 * What the model takes for granted, as the real system arranges it by time:
 * - A live tab writes what it has handed to a layer before the grace period of another tab is over.
 * - Tabs wait for different times, so that one relays and its write is seen before the next one's turn comes.
 * - Asking a layer once more and writing what it still lacks happens without another tab doing the same in between.
 */

export const LAYERS = ["A", "B"] as const;
export type LayerName = (typeof LAYERS)[number];

export interface Scenario {
  readonly name: string;
  /** Which tab makes each operation. */
  readonly makers: readonly (0 | 1)[];
  /** Whether each tab has the tree in memory. A tab that makes operations has. */
  readonly isLoaded: readonly [boolean, boolean];
  /** What may fail, once. */
  readonly failure: "refused" | "unreadable" | "rescan" | "none";
  /** How a tab ends, once; it is opened again then. */
  readonly ending: "closed" | "killed" | "none";
  readonly endingTab: 0 | 1;
}

interface Queued {
  readonly batch: number;
  readonly ops: readonly number[];
  readonly isRelay: boolean;
}

/** A tab's part in one layer. */
interface Link {
  queue: Queued[];
  reading: number | undefined;
  /** Operations of the store that the tab has read, been told of or written. */
  seen: number;
  isRescanning: boolean;
  collecting: "made" | "all" | undefined;
  isAttached: boolean;
}

interface Tab {
  replication: TreeReplication<LayerName>;
  isOpen: boolean;
  readonly links: Record<LayerName, Link>;
}

/** Operations are numbers from 0; sets of them are bit masks. */
export interface World {
  readonly tabs: [Tab, Tab];
  readonly stores: Record<LayerName, number>;
  /** Per layer and operation, how often it was written, and how often by a relay. */
  readonly writes: Record<LayerName, number[]>;
  readonly relays: Record<LayerName, number[]>;
  made: number;
  /** Operations of which a tab was told that a layer has them. */
  acknowledged: Record<LayerName, number>;
  canFail: boolean;
  canEnd: boolean;
  canReopen: boolean;
}

export interface Step {
  readonly name: string;
  /** Whether it may also never happen. */
  readonly isOptional: boolean;
  readonly run: (world: World) => void;
}

const OPERATION_COUNT = 3;
/** The machine reads no clock: every timer is due whenever the model says so. */
const NOW = 0;
const LATER = 1_000_000;

export function operation(index: number, scenario: Scenario): VertexOperation {
  return { id: { counter: index + 1, peerId: `tab ${scenario.makers[index]}` }, targetId: `v${index}`, parentId: null };
}

function indexOf(op: VertexOperation): number {
  return op.id.counter - 1;
}

function newTab(): Tab {
  const link = (): Link => ({
    queue: [],
    reading: undefined,
    seen: 0,
    isRescanning: false,
    collecting: undefined,
    isAttached: false,
  });
  const replication = new TreeReplication<LayerName>({ relayDelayMs: 1, maxRelayOps: 2, isReadOnly: false });
  return { replication, isOpen: true, links: { A: link(), B: link() } };
}

/** Both tabs have read both layers, which are empty. What opening brings about is seen when a tab is opened again. */
export function newWorld(scenario: Scenario): World {
  const world = emptyWorld(scenario);
  for (const index of [0, 1] as const) {
    for (const layer of LAYERS) {
      attach(world, index, layer, scenario);
      read(world, index, layer, scenario, false);
    }
  }
  return world;
}

function emptyWorld(scenario: Scenario): World {
  const none = (): number[] => Array.from({ length: OPERATION_COUNT }, () => 0);
  return {
    tabs: [newTab(), newTab()],
    stores: { A: 0, B: 0 },
    writes: { A: none(), B: none() },
    relays: { A: none(), B: none() },
    made: 0,
    acknowledged: { A: 0, B: 0 },
    canFail: scenario.failure !== "none",
    canEnd: scenario.ending !== "none",
    canReopen: false,
  };
}

export function fork(world: World): World {
  const forkTab = ({ replication, isOpen, links }: Tab): Tab => ({
    replication: replication.fork(),
    isOpen,
    links: { A: { ...links.A, queue: [...links.A.queue] }, B: { ...links.B, queue: [...links.B.queue] } },
  });
  return {
    ...world,
    tabs: [forkTab(world.tabs[0]), forkTab(world.tabs[1])],
    stores: { ...world.stores },
    writes: { A: [...world.writes.A], B: [...world.writes.B] },
    relays: { A: [...world.relays.A], B: [...world.relays.B] },
    acknowledged: { ...world.acknowledged },
  };
}

/**
 * What tells one state from another. Numbers of readings, batches and attempts are left out, as only their equality counts; so
 * is in which portions operations are to be relayed. The two layers are alike, so which of them is called A does not count.
 */
export function fingerprint(world: World): string {
  const layers = LAYERS.map((layer) =>
    JSON.stringify([
      world.tabs.map((tab) => (tab.isOpen ? describePart(tab, layer) : "closed")),
      [world.stores[layer], world.writes[layer], world.relays[layer]],
    ]),
  );
  const tabs = world.tabs.map(({ isOpen, replication }) => isOpen && [replication.known.toState(), replication.made.toState()]);
  return JSON.stringify([layers.sort(), tabs, world.made, world.canFail, world.canEnd, world.canReopen]);
}

function describePart({ replication, links }: Tab, layer: LayerName): unknown {
  const state = replication.layers.get(layer)?.describe() ?? {};
  const { reading, queue, seen, isRescanning, collecting, isAttached } = links[layer];
  const relays = ((state["relays"] ?? []) as [string | string[], number][]).flatMap(([ops]) => ops);
  return [
    [state["phase"], state["covered"], state["isStale"], [...new Set(relays)].sort()],
    [state["checking"], queue.map(({ ops, isRelay }) => [ops, isRelay])],
    [reading === undefined ? 0 : reading === state["reading"] ? 1 : 2, seen, isRescanning, collecting, isAttached],
  ];
}

/** Everything that may happen next. */
export function stepsOf(world: World, scenario: Scenario): Step[] {
  const steps: Step[] = [];
  const add = (name: string, run: (world: World) => void, isOptional = false): void => void steps.push({ name, isOptional, run });
  for (const index of [0, 1] as const) {
    const tab = world.tabs[index];
    if (!tab.isOpen) {
      if (world.canReopen) add(`tab ${index} is opened again`, (next) => reopen(next, index));
      continue;
    }
    const nextOp = scenario.makers.findIndex((maker, op) => maker === index && (world.made & (1 << op)) === 0);
    if (nextOp >= 0) add(`tab ${index} makes ${nextOp}`, (next) => make(next, index, nextOp, scenario));
    for (const layer of LAYERS) addLayerSteps(world, scenario, index, layer, add);
    if (world.canEnd && scenario.endingTab === index)
      add(`tab ${index} is ${scenario.ending}`, (next) => end(next, index, scenario), true);
  }
  return steps;
}

type Add = (name: string, run: (world: World) => void, isOptional?: boolean) => void;

function addLayerSteps(world: World, scenario: Scenario, index: 0 | 1, layer: LayerName, add: Add): void {
  const tab = world.tabs[index];
  const link = tab.links[layer];
  const state = tab.replication.layers.get(layer);
  const where = `tab ${index}, ${layer}`;
  if (!link.isAttached) add(`${where}: connected`, (next) => attach(next, index, layer, scenario));
  if (link.reading !== undefined) {
    add(`${where}: read`, (next) => read(next, index, layer, scenario, false));
    if (world.canFail && scenario.failure === "unreadable")
      add(`${where}: unreadable`, (next) => read(next, index, layer, scenario, true), true);
  }
  if (link.queue.length > 0) {
    add(`${where}: saved`, (next) => save(next, index, layer, scenario));
    if (world.canFail && scenario.failure === "refused")
      add(`${where}: refused`, (next) => refuse(next, index, layer, scenario), true);
  }
  if (state && state.phase !== "expected" && state.phase !== "reading" && (world.stores[layer] & ~link.seen) !== 0)
    add(`${where}: told`, (next) => tell(next, index, layer, scenario));
  if (link.isRescanning) {
    add(`${where}: asked once more`, (next) => rescan(next, index, layer, scenario, true));
    if (world.canFail && scenario.failure === "rescan")
      add(`${where}: cannot be asked once more`, (next) => rescan(next, index, layer, scenario, false), true);
  }
  if (link.collecting) add(`${where}: collected`, (next) => collect(next, index, layer, scenario));
  if (state?.wakeAt !== undefined && (state.phase === "failed" || mayRelay(world, index, layer)))
    add(`${where}: due`, (next) => handle(next, index, { type: "due", layer, now: LATER }, scenario));
}

/** Whether the grace period of a tab can be over, and its turn has come. */
function mayRelay(world: World, index: 0 | 1, layer: LayerName): boolean {
  const other = world.tabs[index === 0 ? 1 : 0];
  if (!other.isOpen) return true;
  const link = other.links[layer];
  if (link.queue.length > 0 || link.collecting || link.isRescanning) return false;
  // the first tab comes first
  const otherState = other.replication.layers.get(layer);
  return index === 0 || otherState?.phase !== "current" || otherState.wakeAt === undefined;
}

function handle(
  world: World,
  index: 0 | 1,
  event: Parameters<TreeReplication<LayerName>["handle"]>[0],
  scenario: Scenario,
): void {
  perform(world, index, world.tabs[index].replication.handle(event), scenario);
}

function perform(world: World, index: 0 | 1, effects: readonly ReplicationEffect<LayerName>[], scenario: Scenario): void {
  for (const effect of effects) {
    const link = world.tabs[index].links[effect.layer];
    switch (effect.type) {
      case "read":
        link.reading = effect.reading;
        break;
      case "rescan":
        link.isRescanning = true;
        break;
      case "collect":
        link.collecting = effect.only;
        break;
      case "save":
        link.queue.push({ batch: effect.batch, ops: effect.ops.map(indexOf), isRelay: effect.isRelay });
        // a relay is written before another tab does anything there
        if (effect.isRelay) while (link.queue.length > 0) save(world, index, effect.layer, scenario);
        break;
    }
  }
}

function toOps(set: number, scenario: Scenario): VertexOperation[] {
  const ops: VertexOperation[] = [];
  for (let index = 0; index < OPERATION_COUNT; index++) if ((set & (1 << index)) !== 0) ops.push(operation(index, scenario));
  return ops;
}

function make(world: World, index: 0 | 1, op: number, scenario: Scenario): void {
  world.made |= 1 << op;
  perform(world, index, world.tabs[index].replication.make([operation(op, scenario)]), scenario);
}

function attach(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario): void {
  world.tabs[index].links[layer].isAttached = true;
  handle(world, index, { type: "attach", layer, isUrgent: false, now: NOW }, scenario);
}

function read(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario, fails: boolean): void {
  const link = world.tabs[index].links[layer];
  const reading = link.reading!;
  link.reading = undefined;
  if (fails) {
    world.canFail = false;
    return handle(world, index, { type: "unreadable", layer, reading, now: NOW }, scenario);
  }
  link.seen = world.stores[layer];
  handle(world, index, { type: "reported", layer, ops: toOps(world.stores[layer], scenario), now: NOW }, scenario);
  handle(world, index, { type: "read", layer, reading, now: NOW }, scenario);
}

function save(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario): void {
  const link = world.tabs[index].links[layer];
  const { batch, ops, isRelay } = link.queue.shift()!;
  for (const op of ops) {
    world.stores[layer] |= 1 << op;
    world.writes[layer][op]!++;
    if (isRelay) world.relays[layer][op]!++;
    link.seen |= 1 << op;
    world.acknowledged[layer] |= 1 << op;
  }
  handle(world, index, { type: "saved", layer, batch, now: NOW }, scenario);
}

function refuse(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario): void {
  world.canFail = false;
  const { batch } = world.tabs[index].links[layer].queue.shift()!;
  handle(world, index, { type: "refused", layer, batch, now: NOW }, scenario);
}

function tell(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario): void {
  const link = world.tabs[index].links[layer];
  const news = world.stores[layer] & ~link.seen;
  link.seen = world.stores[layer];
  handle(world, index, { type: "reported", layer, ops: toOps(news, scenario), now: NOW }, scenario);
}

function rescan(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario, isDone: boolean): void {
  world.tabs[index].links[layer].isRescanning = false;
  if (isDone) tell(world, index, layer, scenario);
  else world.canFail = false;
  handle(world, index, { type: "rescanned", layer, isDone, notDownloaded: new Set(), now: NOW }, scenario);
  if (world.tabs[index].links[layer].collecting === "all") collect(world, index, layer, scenario);
}

function collect(world: World, index: 0 | 1, layer: LayerName, scenario: Scenario): void {
  const { replication, links } = world.tabs[index];
  const only = links[layer].collecting!;
  links[layer].collecting = undefined;
  const state = replication.layers.get(layer)!;
  let ops: VertexOperation[];
  if (scenario.isLoaded[index]) {
    // what is in memory is all that is known
    ops = toOps((1 << OPERATION_COUNT) - 1, scenario).filter(({ id }) => replication.known.has(id));
    if (only === "made") ops = ops.filter(({ id }) => replication.made.has(id));
  } else {
    const [other] = LAYERS.filter((each) => each !== layer) as [LayerName];
    const isReadable = replication.layers.get(other)?.phase === "current";
    ops = isReadable ? toOps(world.stores[other], scenario) : [];
    if (isReadable) {
      links[other].seen = world.stores[other];
      handle(world, index, { type: "reported", layer: other, ops, now: NOW }, scenario);
    }
    if (!ops.some((op) => state.lacks(op))) replication.recount();
  }
  handle(world, index, { type: "collected", layer, only, ops: ops.filter((op) => state.lacks(op)), now: NOW }, scenario);
}

function end(world: World, index: 0 | 1, scenario: Scenario): void {
  world.canEnd = false;
  world.canReopen = true;
  const tab = world.tabs[index];
  if (scenario.ending === "closed") {
    for (const layer of LAYERS) while (tab.links[layer].queue.length > 0) save(world, index, layer, scenario);
    for (const layer of LAYERS) {
      handle(world, index, { type: "hurry", layer, now: LATER }, scenario);
      if (tab.links[layer].isRescanning) rescan(world, index, layer, scenario, true);
      while (tab.links[layer].queue.length > 0) save(world, index, layer, scenario);
    }
  }
  tab.isOpen = false;
}

function reopen(world: World, index: 0 | 1): void {
  world.canReopen = false;
  world.tabs[index] = newTab();
}

/** What does not hold in a state; nothing, unless there is a bug. */
export function findViolations(world: World, isEnd: boolean): string[] {
  const violations: string[] = [];
  for (const layer of LAYERS) {
    for (let op = 0; op < OPERATION_COUNT; op++) {
      const bit = 1 << op;
      if (world.relays[layer][op]! > 1) violations.push(`${op} was relayed to ${layer} ${world.relays[layer][op]} times`);
      if (world.writes[layer][op]! - world.relays[layer][op]! > 1)
        violations.push(`${op} was written to ${layer} twice by its maker`);
      if ((world.acknowledged[layer] & bit) !== 0 && (world.stores[layer] & bit) === 0)
        violations.push(`${layer} has acknowledged ${op} and does not have it`);
      const isAnywhere = ((world.stores.A | world.stores.B) & bit) !== 0;
      if (isEnd && isAnywhere && (world.stores[layer] & bit) === 0) violations.push(`${layer} lacks ${op} for ever`);
    }
  }
  return violations;
}
