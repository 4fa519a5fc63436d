import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { SpaceFolder, type FlushPolicy } from "../../src/index.ts";
import { foldspace, jsonLines } from "../scenarios/cli-harness.ts";
import { Device } from "./device.ts";
import { Operations, operationsIn } from "./operations.ts";
import type { Site, Transport } from "./transport.ts";
import { until } from "./until.ts";

export type Connect = (site: Site) => Transport | Promise<Transport>;

/** Longest that anything may take to be carried everywhere, with what has to be written once more after a loss. */
const CARRIED_WITHIN_MS = 60_000;

/** Two devices, each with a folder of its own, and a transport between them. Gone after the test. */
export class Rig {
  readonly spaceId: string;
  readonly transport: Transport;
  readonly one: Device;
  readonly two: Device;
  /** Operations that no device has made. */
  readonly others: Operations;

  private constructor(spaceId: string, transport: Transport, devices: readonly [Device, Device], others: Operations) {
    this.spaceId = spaceId;
    this.transport = transport;
    [this.one, this.two] = devices;
    this.others = others;
  }

  /** Makes a space, has it carried to the other device, and opens it on both. They stay joined. */
  static async open(connect: Connect, flushPolicy: Partial<FlushPolicy> = {}): Promise<Rig> {
    const root = mkdtempSync(join(tmpdir(), "foldspace-transport-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const site: Site = { root, one: join(root, "one"), two: join(root, "two") };
    const made = await foldspace(["init", site.one, "--git"]);
    expect(made).toMatchObject({ code: 0 });
    const spaceId = made.stdout.trim();
    const others = await operationsIn(site.one);
    const transport = await connect(site);
    onTestFinished(() => transport.end());
    await transport.join();
    const [one, two] = transport.folders;
    await untilHeld(two, others, transport);
    const devices: Device[] = [];
    for (const folder of [one, two]) {
      const device = await Device.open(folder, spaceId, flushPolicy);
      onTestFinished(() => device.close());
      devices.push(device);
    }
    return new Rig(spaceId, transport, [devices[0]!, devices[1]!], others);
  }

  get devices(): readonly [Device, Device] {
    return [this.one, this.two];
  }

  /** Everything that was ever made. */
  get issued(): Operations {
    const issued = new Operations();
    for (const part of [this.others, this.one.made, this.two.made]) issued.addAll(part);
    return issued;
  }

  /** Waits as {@link until}, and no longer than the transport works. */
  async until(look: () => string | undefined | Promise<string | undefined>): Promise<void> {
    await untilCarried(this.transport, look);
  }

  /** Waits until both folders hold, and both devices show, everything that was made and nothing else. */
  async agree(): Promise<void> {
    for (const device of this.devices) await device.space.flush();
    await this.until(async () => {
      const { issued } = this;
      for (const { folder, treeIds, shown } of this.devices) {
        const unshown = shown.differenceFrom(issued.only(treeIds));
        if (unshown !== undefined) return `the device of ${folder} does not show everything: ${unshown}`;
        const unheld = (await operationsIn(folder)).differenceFrom(issued);
        if (unheld !== undefined) return `${folder} does not hold everything: ${unheld}`;
      }
      return undefined;
    });
  }

  /**
   * Ends both devices and holds that nothing is lost and all is equal.
   * @returns files of the problems that were found in the folders, by code
   */
  async conclude(): Promise<Map<string, Set<string>>> {
    for (const device of this.devices) await device.loadAppTrees();
    await this.agree();
    const exported = this.devices.map((device) => device.exported);
    expect(exported[1]).toBe(exported[0]);
    for (const device of this.devices) await device.close();
    for (const folder of this.transport.folders) await untilHeld(folder, this.issued, this.transport);
    await this.transport.part();
    const found = new Map<string, Set<string>>();
    for (const folder of this.transport.folders) {
      expect((await foldspace(["export", folder, "--format", "json"])).stdout).toBe(exported[0]);
      const { stdout } = await foldspace(["verify", folder, "--json"]);
      for (const { code, file } of jsonLines(stdout) as { code: string; file: string }[])
        found.set(code, (found.get(code) ?? new Set()).add(file));
    }
    return found;
  }
}

async function untilCarried(transport: Transport, look: () => string | undefined | Promise<string | undefined>): Promise<void> {
  await until(CARRIED_WITHIN_MS, () => {
    if (transport.failure) throw transport.failure;
    return look();
  });
}

async function untilHeld(folder: string, wanted: Operations, transport: Transport): Promise<void> {
  await untilCarried(transport, async () => {
    try {
      // operations may come before what makes the folder a space
      await new SpaceFolder(new NodeFileSystem(), folder).open();
      const lacking = (await operationsIn(folder)).differenceFrom(wanted);
      return lacking && `${folder} does not hold everything: ${lacking}`;
    } catch (error) {
      return `${folder} holds no space: ${String(error)}`;
    }
  });
}
