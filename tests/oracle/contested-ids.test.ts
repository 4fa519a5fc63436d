import { expect, test } from "vitest";
import { placesToReapply, toReapply, type ForeignOperation } from "../../src/space/local-op-log.ts";
import { Random } from "../../src/testing/random.ts";
import { BIN_ID, isMoveVertexOp, ReplicatedTree, type MoveVertex, type VertexOperation } from "../../src/tree/index.ts";
import { makeHistory } from "./histories.ts";

const HISTORIES = 500;
const LONGEST_RUN_MS = 120_000;

type Side = "ours" | "theirs";

/** A history in which some ids of moves stand for two of them each. */
interface ContestedHistory {
  readonly ops: readonly VertexOperation[];
  readonly contested: readonly Readonly<Record<Side, MoveVertex>>[];
}

test("whichever of two moves under one id a replica knows, it ends equal", { timeout: LONGEST_RUN_MS }, () => {
  let differed = 0;
  let placedAgain = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = new Random(seed);
    const history = contest(seed, random);
    const here = openWith(history, () => "ours");
    const others = [0, 0.5, 0.5].map((share) => openWith(history, () => (random.chance(share) ? "ours" : "theirs")));
    if (others.some((other) => places(other) !== places(here))) differed++;
    const again = resolve(here, history, "ours");
    if (again.length > 2 * history.contested.length) placedAgain++;
    for (const other of others) {
      other.merge(again);
      expect(places(other), `seed ${seed}`).toBe(places(here));
    }
    // found once more, they have nothing made again
    expect(resolve(here, history, "ours")).toEqual([]);
  }
  // the histories hold what they are there for
  expect(differed).toBeGreaterThan(HISTORIES / 2);
  expect(placedAgain).toBeGreaterThan(HISTORIES / 50);
});

test("two replicas that both find and resolve what they contest end equal", { timeout: LONGEST_RUN_MS }, () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const history = contest(seed, new Random(seed));
    const [here, there] = [openWith(history, () => "ours"), openWith(history, () => "theirs")];
    there.changePeer("there");
    const [ofHere, ofThere] = [resolve(here, history, "ours"), resolve(there, history, "theirs")];
    here.merge(ofThere);
    there.merge(ofHere);
    expect(places(there), `seed ${seed}`).toBe(places(here));
  }
});

test("so do two that go on moving meanwhile, once they have looked again", { timeout: LONGEST_RUN_MS }, () => {
  let differed = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = new Random(seed);
    const history = contest(seed, random);
    const [here, there] = [openWith(history, () => "ours"), openWith(history, () => "theirs")];
    there.changePeer("there");
    const [movedHere, movedThere] = [moveAbout(here, random), moveAbout(there, random)];
    for (let look = 0; look < 3; look++) {
      const [ofHere, ofThere] = [resolve(here, history, "ours"), resolve(there, history, "theirs")];
      here.merge([...movedThere, ...ofThere]);
      there.merge([...movedHere, ...ofHere]);
      if (look === 0 && places(there) !== places(here)) differed++;
    }
    expect(places(there), `seed ${seed}`).toBe(places(here));
  }
  expect(differed).toBeGreaterThan(0);
});

function contest(seed: number, random: Random): ContestedHistory {
  const { ops } = makeHistory(seed, "hex");
  const moves = ops.filter(isMoveVertexOp).filter(({ parentId }) => parentId !== null);
  const some = random.shuffle(moves).slice(0, random.integer(1, 4));
  const contested = some.map((ours) => {
    const targetId = random.chance(0.5) ? ours.targetId : random.pick(moves).targetId;
    const parentId = random.chance(0.1) ? BIN_ID : random.pick(moves).targetId;
    return { ours, theirs: { id: ours.id, targetId, parentId } };
  });
  return { ops, contested };
}

/** A replica that knows one of the two moves under each contested id. */
function openWith({ ops, contested }: ContestedHistory, pick: () => Side): ReplicatedTree {
  const known = new Map<VertexOperation, VertexOperation>(contested.map((each) => [each.ours, each[pick()]]));
  return new ReplicatedTree(
    "here",
    ops.map((op) => known.get(op) ?? op),
  );
}

/** @returns what a replica that has made one side makes when it finds the other */
function resolve(replica: ReplicatedTree, { contested }: ContestedHistory, own: Side): VertexOperation[] {
  const foreignOps = contested.map((each): ForeignOperation => ({
    op: each[own === "ours" ? "theirs" : "ours"],
    ours: each[own],
  }));
  replica.popLocalOps();
  for (const op of toReapply(foreignOps, replica.getAllOps())) replica.reapply(op);
  for (const op of placesToReapply(replica, foreignOps)) replica.reapply(op);
  return replica.popLocalOps();
}

function moveAbout(replica: ReplicatedTree, random: Random): VertexOperation[] {
  const ids = replica.getAllVertices().flatMap(({ id, parentId }) => (parentId === null ? [] : [id]));
  for (let moves = 6; moves > 0; moves--) {
    const [id, parentId] = [random.pick(ids), random.pick(ids)];
    if (id !== parentId && !replica.isAncestor(parentId, id)) replica.moveVertex(id, parentId);
  }
  return replica.popLocalOps();
}

/** Where every vertex is, the deleted ones included. */
function places(replica: ReplicatedTree): string {
  return replica
    .getAllVertices()
    .map(({ id, parentId }) => `${id} ${parentId}`)
    .sort()
    .join("\n");
}
