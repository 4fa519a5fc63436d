import { describe, expect, test } from "vitest";
import { Random } from "../../src/testing/random.ts";
import { findChromium } from "../browser/chromium.ts";
import { ServedFolder } from "./folders.ts";
import { useBrowser } from "./rig.ts";
import { SESSIONS } from "./typing-sessions.ts";

/** Number of sessions; the kinds take turns. */
const COUNT = Number(process.env["FOLDSPACE_TYPING_SESSIONS"] ?? Object.keys(SESSIONS).length);
const FIRST_SEED = Number(process.env["FOLDSPACE_TYPING_SEED"] ?? 1);
/** Pairs of devices that work at the same time. */
const LANES = Number(process.env["FOLDSPACE_TYPING_LANES"] ?? 4);

/** Two users type at a human speed: no typed text gets lost or into another item. */
describe.skipIf(!findChromium())("two people write on one page (needs Chromium)", () => {
  const rig = useBrowser();

  test(
    `in ${COUNT} sessions from seed ${FIRST_SEED} on, nothing is lost and both see the same`,
    async () => {
      const seeds = Array.from({ length: COUNT }, (_, index) => FIRST_SEED + index);
      const failures: string[] = [];
      const kinds = Object.entries(SESSIONS);
      const work = async (): Promise<void> => {
        const { url } = await ServedFolder.serve();
        const [a, b] = [await rig.openApp(url), await rig.openApp(url)];
        for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
          const [name, { lines, run }] = kinds[seed % kinds.length]!;
          let doing = "writing the page";
          try {
            await a.newPage(`Page ${seed}`, lines);
            doing = "opening the page on the other device";
            await b.openPage(`Page ${seed}`);
            await b.shows(lines);
            doing = "the session";
            await run({ seed, a, b, random: new Random(seed) });
          } catch (error) {
            failures.push(`seed ${seed}, ${name}, ${doing}: ${error instanceof Error ? error.message : String(error)}`);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(LANES, COUNT) }, work));
      expect(failures).toEqual([]);
    },
    120_000 + COUNT * 30_000,
  );
});
