import { basename } from "node:path";
import type { FlushPolicy } from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";
import { figuresOf, type DelayFigures } from "./figures.ts";
import { Rig, type Connect } from "./rig.ts";
import { pause, until } from "./until.ts";

/** Pauses between two keys, in milliseconds: those of somebody who types without stopping to think. */
const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 300;
const LETTERS = "etaoin shrdlu".split("");
const SEED = 1;

export interface TypingFigures extends DelayFigures {
  /** How many operations were made. */
  readonly keys: number;
  /** How often the file of the one who types was seen to have grown on the other side. */
  readonly arrivals: number;
}

/**
 * Has somebody type on one device, an operation for each key, and takes the time from each operation's making to when the
 * other device shows it.
 * @param lastWithinMs how long the last key may take
 */
export async function typeSteadily(
  connect: Connect,
  flushPolicy: Partial<FlushPolicy>,
  { typingMs, lastWithinMs }: { readonly typingMs: number; readonly lastWithinMs: number },
): Promise<TypingFigures> {
  const rig = await Rig.open(connect, flushPolicy);
  const [typist, reader] = [rig.one.space, rig.two.space];
  const text = typist.tree.root!.newNamedChild("text");
  await rig.agree();
  const madeAt = new Map<number, number>();
  const delays: number[] = [];
  const arrivals = new Set<number>();
  typist.tree.observeOpApplied(({ id }) => madeAt.set(id.counter, performance.now()));
  reader.tree.observeOpApplied(({ id }) => {
    const now = performance.now();
    delays.push(now - madeAt.get(id.counter)!);
    // what came together is taken in within one turn, or a few
    arrivals.add(Math.round(now / 50));
  });
  const random = new Random(SEED);
  const end = performance.now() + typingMs;
  for (let written = ""; performance.now() < end;) {
    written += random.pick(LETTERS);
    text.setProperty("text", written);
    await pause(random.integer(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS));
  }
  await until(lastWithinMs, () =>
    delays.length < madeAt.size
      ? `${madeAt.size - delays.length} of ${madeAt.size} keys are not seen in ${basename(rig.two.folder)}`
      : undefined,
  );
  await rig.conclude();
  return { ...figuresOf(delays), keys: madeAt.size, arrivals: arrivals.size };
}
