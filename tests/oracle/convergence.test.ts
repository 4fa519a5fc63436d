import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ReplicatedTree, OpIdSet, type VertexOperation } from "../../src/tree/index.ts";
import { Random } from "../../src/testing/random.ts";
import { deliverySchedule, makeHistory, shownTree, type History } from "./histories.ts";
import { replaySlowly, slowStateVector, sortOps, type PlainTree } from "./slow-tree.ts";

const HISTORIES = 1_000;
const LONGEST_RUN_MS = 240_000;
/** Set in the child processes that run this file again under another locale. */
const CHILD_LOCALE = process.env["FOLDSPACE_TEST_LOCALE"];

let ignoredMoves = 0;
let incompleteStates = 0;
let shownVertices = 0;

test(`${HISTORIES} random histories end in the oracle's tree on every replica`, { timeout: LONGEST_RUN_MS }, () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    try {
      checkHistory(makeHistory(seed, "telling"));
    } catch (error) {
      throw new Error(`History with seed ${seed} fails: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  // the histories hold what they are there for
  expect(ignoredMoves).toBeGreaterThan(HISTORIES / 2);
  expect(shownVertices).toBeGreaterThan(HISTORIES * 5);
  expect(incompleteStates).toBeGreaterThan(HISTORIES);
});

test("the same seed gives the same history", () => {
  expect(makeHistory(7, "telling").ops).toEqual(makeHistory(7, "telling").ops);
  expect(makeHistory(7, "telling").ops).not.toEqual(makeHistory(8, "telling").ops);
});

if (CHILD_LOCALE !== undefined) {
  test("this process sorts as its locale does", () => {
    expect(new Intl.DateTimeFormat().resolvedOptions().locale).toBe(CHILD_LOCALE);
    expect(Math.sign("aa".localeCompare("z"))).toBe(CHILD_LOCALE === "da-DK" ? 1 : -1);
  });
} else {
  for (const locale of ["en-US", "da-DK"]) {
    // Windows takes the locale from the system and not from the environment
    test.skipIf(process.platform === "win32")(
      `every replica ends in the oracle's tree in ${locale}`,
      { timeout: LONGEST_RUN_MS },
      async () => {
        const { exitCode, output } = await runThisFileIn(locale);
        expect(exitCode, output).toBe(0);
        expect(output).toMatch(/Tests\s+3 passed/);
      },
    );
  }
}

function checkHistory(history: History): void {
  const random = new Random(history.seed ^ 0x5eed);
  const { tree: expected, ignoredMoves: ignored } = replaySlowly(history.ops);
  ignoredMoves += ignored;
  shownVertices += expected.length;
  for (const replica of history.replicas) {
    // as it stands, with a part of the operations
    expectTree(shownTree(replica), replaySlowly(replica.getAllOps()).tree);
    for (const batch of deliverySchedule(history.ops, random)) replica.merge(batch);
    expectTree(shownTree(replica), expected);
    expectExactVector(replica, history.ops);
  }
  checkFreshReplica(history.ops, random);
}

/** Delivers everything to an empty replica and looks at it, now and then, on the way. */
function checkFreshReplica(ops: readonly VertexOperation[], random: Random): void {
  const replica = new ReplicatedTree("fresh");
  const delivered = new Map<string, VertexOperation>();
  const looks = random.pick([0, 0.1, 0.5]);
  for (const batch of deliverySchedule(ops, random)) {
    const unknown = new Map(batch.filter((op) => !delivered.has(key(op))).map((op) => [key(op), op]));
    const added = replica.merge(batch);
    expect(added.map(key)).toEqual([...unknown.keys()]);
    for (const [id, op] of unknown) delivered.set(id, op);
    if (!random.chance(looks)) continue;
    if (delivered.size < ops.length) incompleteStates++;
    expectTree(shownTree(replica), replaySlowly(delivered.values()).tree);
    expectExactVector(replica, [...delivered.values()]);
  }
  expectTree(shownTree(replica), replaySlowly(ops).tree);
  expectExactVector(replica, ops);
  expectExactOpsSince(replica, ops, random);
}

function expectTree(shown: PlainTree, expected: PlainTree): void {
  // a string comparison first, because a thousand histories give a hundred thousand comparisons
  if (JSON.stringify(shown) !== JSON.stringify(expected)) expect(shown).toEqual(expected);
}

function expectExactVector(replica: ReplicatedTree, ops: readonly VertexOperation[]): void {
  const vector = replica.getStateVector();
  const expected = slowStateVector(ops.map((op) => op.id));
  const peers = Object.keys(expected).sort();
  expect(Object.keys(vector).sort()).toEqual(peers);
  for (const peer of peers) if (JSON.stringify(vector[peer]) !== JSON.stringify(expected[peer])) expect(vector).toEqual(expected);
  expect(replica.opCount).toBe(ops.length);
}

function expectExactOpsSince(replica: ReplicatedTree, ops: readonly VertexOperation[], random: Random): void {
  const known = new Set(ops.filter(() => random.chance(0.5)));
  const missing = sortOps(ops.filter((op) => !known.has(op))).map(key);
  expect(replica.opsSince(OpIdSet.of(random.shuffle([...known]))).map(key)).toEqual(missing);
  expect(replica.getMissingOps(slowStateVector([...known].map((op) => op.id))).map(key)).toEqual(missing);
}

function key(op: VertexOperation): string {
  return `${op.id.counter} ${op.id.peerId}`;
}

function runThisFileIn(locale: string): Promise<{ exitCode: unknown; output: string }> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("VITEST") && !name.startsWith("LC_") && name !== "LANGUAGE",
  );
  const posix = `${locale.replace("-", "_")}.UTF-8`;
  const env = { ...Object.fromEntries(inherited), LC_ALL: posix, LANG: posix, NO_COLOR: "1", FOLDSPACE_TEST_LOCALE: locale };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [vitest, "run", fileURLToPath(import.meta.url)],
      { cwd: root, env, timeout: LONGEST_RUN_MS },
      (error, stdout, stderr) => {
        resolve({ exitCode: error ? (error.code ?? error.signal) : 0, output: stdout + stderr });
      },
    );
  });
}
