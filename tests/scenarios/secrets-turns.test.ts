import { expect, test, vi } from "vitest";
import { openPlainFile } from "../../src/secrets/plain-file.ts";
import { filesOf, folderWith, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const PASSPHRASE = "correct horse";
/** In turns of the microtask queue: later than anything here takes in memory. */
const LATEST = 60;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

async function plainOf({ fs }: SecretsDevice): Promise<Record<string, string>> {
  return Object.fromEntries(await openPlainFile(SPACE_ID, filesOf(fs).get("space-v1/secrets")!));
}

async function protectedDevice(): Promise<SecretsDevice> {
  const device = await new SecretsDevice().open();
  device.secrets.set("key", "1");
  await device.secrets.protect(PASSPHRASE);
  return device;
}

test("of two that protect at once the first does, and its code is the one that opens the secrets", async () => {
  const device = await new SecretsDevice().open();
  device.secrets.set("key", "1");
  const [first, second] = await Promise.allSettled([device.secrets.protect(PASSPHRASE), device.secrets.protect(PASSPHRASE)]);
  expect(second).toMatchObject({ status: "rejected", reason: { code: "FOLD_SECRETS_PROTECTION" } });
  await device.stop();
  const later = await new SecretsDevice(device.fs).open();
  await later.secrets.unlock((first as PromiseFulfilledResult<string>).value);
  expect(later.secrets.entries()).toEqual([["key", "1"]]);
  await later.stop();
});

test("what is asked for at once is done in order", async () => {
  const device = await protectedDevice();
  await Promise.all([device.secrets.changePassphrase("second"), device.secrets.lock(), device.secrets.unlock("second")]);
  expect(device.secrets.get("key")).toBe("1");
  await expect(Promise.all([device.secrets.unprotect(), device.secrets.changePassphrase("third")])).rejects.toMatchObject({
    code: "FOLD_SECRETS_PROTECTION",
  });
  await device.stop();
});

test(
  "a secret that is set while they are being locked is refused or kept, and keeps nobody from locking",
  { timeout: 120_000 },
  async () => {
    const device = await protectedDevice();
    const kept: string[] = ["key"];
    for (let count = 0; count < LATEST; count++) {
      const locking = device.secrets.lock();
      await turns(count);
      const name = `after ${String(count).padStart(3, "0")}`;
      if (device.secrets.protection === "unlocked") {
        device.secrets.set(name, "1");
        kept.push(name);
      }
      await locking;
      expect(device.secrets.protection).toBe("locked");
      await device.secrets.unlock(PASSPHRASE);
      expect(device.secrets.keys()).toEqual(kept.toSorted());
    }
    await device.stop();
  },
);

test("what is set or deleted while the protection is taken off is so afterwards", async () => {
  const device = await protectedDevice();
  device.secrets.set("gone", "1");
  const unprotecting = device.secrets.unprotect();
  await vi.waitFor(async () => expect(await plainOf(device)).toEqual({ key: "1", gone: "1" }), { interval: 1, timeout: 10_000 });
  device.secrets.set("key", "2");
  device.secrets.delete("gone");
  await unprotecting;
  await device.save();
  expect(device.secrets.protection).toBe("none");
  expect(device.secrets.entries()).toEqual([["key", "2"]]);
  expect(await plainOf(device)).toEqual({ key: "2" });
  await device.stop();
});

test("what is too much to be protected leaves them without protection, and usable", async () => {
  const device = await new SecretsDevice(folderWith({})).open();
  // without protection, a secret takes less room
  for (let index = 0; index < 100; index++) device.secrets.set(`${index}`, "x".repeat(10_450));
  await expect(device.secrets.protect(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_SECRETS_TOO_LARGE" });
  expect(device.secrets.protection).toBe("none");
  expect(device.secrets.keys()).toHaveLength(100);
  await device.stop();
});
