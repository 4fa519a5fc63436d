import { expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { filesOf, folderWith, MapMemory, randomOf, SecretsDevice, SimulatedSync, SteppedClock } from "./secrets-rig.ts";

/** Each tries passphrases, which takes a while on purpose. */
const isFull = process.env["SECRETS"] === "full";
const SCHEDULES = isFull ? 500 : 8;
const FIRST_SEED = isFull ? 1 : 15;
const STEPS = 20;
const NAMES = ["a", "b", "c"];

interface Edit {
  readonly device: number;
  readonly name: string;
  readonly value: string | undefined;
}

/** Two devices that edit, protect, change the passphrase and take it off, in an order that a seed decides. */
class Schedule {
  readonly edits: Edit[] = [];
  readonly devices: readonly SecretsDevice[];
  readonly #random: (below: number) => number;
  readonly #clock = new SteppedClock();
  readonly #folders = [folderWith({}), folderWith({})] as const;
  readonly #sync: SimulatedSync;
  /** All that were ever set, the latest last. */
  readonly #passphrases: string[] = [];

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.#sync = new SimulatedSync(this.#folders, this.#random);
    this.devices = this.#folders.map((fs) => new SecretsDevice(fs, { clock: this.#clock, memory: new MapMemory() }));
  }

  async run(): Promise<void> {
    for (const device of this.devices) await device.open();
    for (let step = 0; step < STEPS; step++) {
      this.#clock.time += 60_000;
      await this.#act(step);
    }
    await this.comeToRest();
  }

  async #act(step: number): Promise<void> {
    const index = this.#random(2);
    const device = this.devices[index]!;
    const { secrets } = device;
    const action = this.#random(16);
    if (action < 6) {
      const name = NAMES[this.#random(NAMES.length)]!;
      if (secrets.protection === "locked") return;
      const value = this.#random(5) === 0 ? undefined : `value ${step} of ${index}`;
      if (value === undefined ? secrets.delete(name) : (secrets.set(name, value), true))
        this.edits.push({ device: index, name, value });
      await device.save();
    } else if (action < 8) await device.look();
    else if (action < 11) await this.#exchange();
    else if (action < 12) await this.#restart(device);
    else if (action < 14) await this.#unlock(device);
    else if (secrets.protection === "none")
      await this.#withNew(`${step} of ${index}`, async (it) => void (await secrets.protect(it)));
    else if (secrets.protection === "unlocked" && action === 14)
      await this.#withNew(`${step} of ${index}`, async (it) => void (await secrets.changePassphrase(it)));
    else if (secrets.protection === "unlocked") await secrets.unprotect();
  }

  async #withNew(passphrase: string, set: (passphrase: string) => Promise<void>): Promise<void> {
    this.#passphrases.push(passphrase);
    await set(passphrase);
  }

  async #exchange(): Promise<void> {
    await this.#sync.run();
    for (const device of this.devices) await device.look();
  }

  async #restart(device: SecretsDevice): Promise<void> {
    await device.save();
    await device.stop();
    await device.open();
  }

  /** With every passphrase that there was, as a person would who remembers them all. */
  async #unlock(device: SecretsDevice): Promise<void> {
    for (const passphrase of this.#passphrases.toReversed())
      for (const acceptOlder of [false, true]) {
        try {
          await device.secrets.unlock(passphrase, { acceptOlder });
          break;
        } catch (error) {
          if (!(error instanceof FoldspaceError)) throw error;
          if (error.code !== "FOLD_SECRETS_ROLLED_BACK") break;
        }
      }
  }

  async comeToRest(): Promise<void> {
    for (let round = 0, before = ""; ; round++) {
      for (const device of this.devices) {
        await device.look();
        await this.#unlock(device);
        await device.save();
      }
      await this.#exchange();
      this.#clock.time += 60_000;
      const state = JSON.stringify(this.#folders.map((fs) => [...filesOf(fs)]));
      if (state === before) break;
      before = state;
      if (round === 20) throw new Error("the devices do not come to rest");
    }
  }

  async stop(): Promise<void> {
    for (const device of this.devices) await device.stop();
  }
}

test(`two devices that change the protection lose nothing in ${SCHEDULES} schedules`, { timeout: 1_800_000 }, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
    const schedule = new Schedule(seed);
    try {
      await schedule.run();
      const [one, two] = schedule.devices.map(({ secrets }) => [secrets.protection, ...secrets.entries()]);
      expect(two).toEqual(one);
      expect(one![0]).not.toBe("locked");
      for (const name of NAMES) {
        const values = schedule.edits.filter((edit) => edit.name === name).map(({ value }) => value);
        if (values.length === 0 || values.includes(undefined)) continue;
        expect(values).toContain(schedule.devices[0]!.secrets.get(name));
      }
      await schedule.stop();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
