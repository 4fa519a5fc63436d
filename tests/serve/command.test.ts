import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { expectFailure } from "../../src/testing/file-system-fixture.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";
import {
  copyOfFixture,
  foldspace,
  listing,
  spaceWith,
  SPACE_ID,
  temporaryFolder,
  type CommandOptions,
} from "../scenarios/cli-harness.ts";
import { assertBuilt, folderAndApp, ServedProcess } from "./served-process.ts";
import { connect, serve, tokenOf } from "./serving.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("foldspace serve", () => {
  /** Runs it until it has said where it serves. */
  async function served(
    args: readonly string[],
    options: CommandOptions = {},
    whileServed: (stdout: string) => Promise<void> = async () => undefined,
  ): Promise<Awaited<ReturnType<typeof foldspace>>> {
    let interrupt = (): void => undefined;
    const interrupted = new Promise<void>((resolve) => (interrupt = resolve));
    let work: Promise<void> = Promise.resolve();
    const result = await foldspace(["serve", ...args, "--port", "0"], {
      ...options,
      interrupted,
      onStdout: (stdout) => {
        work = whileServed(stdout).finally(interrupt);
      },
    });
    await work;
    return result;
  }

  test("prints the address, and ends with 0 when it is interrupted, having written nothing", async () => {
    const { app } = folderAndApp();
    const path = spaceWith();
    const before = listing(path);
    const { code, stdout, stderr } = await served([path, "--app", app], {}, async (printed) => {
      expect(await (await fetch(printed.trim())).text()).toContain("<title>app</title>");
    });
    expect([code, stderr]).toEqual([0, `serving ${path}\n`]);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}\n$/);
    expect(listing(path)).toEqual(before);
    await expect(fetch(stdout.trim())).rejects.toThrow();
  });

  test("lets a client change the space, and nothing beside it that another program may run", async () => {
    const { app } = folderAndApp();
    const path = spaceWith();
    await served([path, "--app", app], {}, async (printed) => {
      const { origin } = new URL(printed);
      const fs = connect({ origin, token: tokenOf(printed.trim()) });
      const layer = new FileSystemPersistenceLayer("", SPACE_ID, { fs });
      const space = await new SpaceManager().loadSpace({ id: SPACE_ID }, [layer]);
      space.secrets.set("key", "1");
      space.tree.root!.newNamedChild("note");
      await space.flush();
      await space.close();
      const before = listing(path);
      const ofRepositories = ["HEAD", ".git/config", "ops/HEAD", ".hg/hgrc"].map((name) => `space-v1/${name}`);
      for (const name of ["note.md", "HEAD", "config", "objects/x", ".husky/pre-commit", ".gitattributes", ...ofRepositories]) {
        await expectFailure(fs.write(name, new Uint8Array(1)), "FOLD_PERMISSION");
        await expectFailure(fs.makeDirectory(name), "FOLD_PERMISSION");
        await expectFailure(fs.rename("space-v1", name), "FOLD_PERMISSION");
      }
      expect(listing(path)).toEqual(before);
      fs.close();
    });
  });

  test("--json prints one line for programs, and the token can be given", async () => {
    const { app } = folderAndApp();
    const path = spaceWith();
    const token = "a-token-that-is-long-enough";
    const { stdout } = await served([path, "--app", app, "--json"], { variables: { FOLDSPACE_SERVE_TOKEN: token } });
    const { url, port, ...rest } = JSON.parse(stdout) as { url: string; port: number };
    expect(rest).toEqual({ path, spaceId: SPACE_ID });
    expect(url).toBe(`http://127.0.0.1:${port}/#token=${token}`);
    expect(stdout.split("\n")).toHaveLength(2);
    const short = await foldspace(["serve", path, "--app", app], { variables: { FOLDSPACE_SERVE_TOKEN: "short" } });
    expect(short).toMatchObject({ code: 1, stdout: "" });
    expect(short.stderr).toContain("(FOLD_BAD_VALUE)");
  });

  test("--own and --shared tell clients who uses the machine, which else they have to ask", async () => {
    const { app } = folderAndApp();
    const path = spaceWith();
    for (const [option, machine] of [
      ["--own", "own"],
      ["--shared", "shared"],
      ["", undefined],
    ] as const) {
      await served([path, "--app", app, ...(option === "" ? [] : [option])], {}, async (printed) => {
        const fs = connect({ origin: new URL(printed).origin, token: tokenOf(printed.trim()) });
        expect((await fs.served()).machine).toBe(machine);
        fs.close();
      });
    }
    const both = await foldspace(["serve", path, "--app", app, "--own", "--shared"]);
    expect(both).toMatchObject({ code: 2, stdout: "" });
  });

  test("--create makes the folder into a space, and nothing else does", async () => {
    const { app } = folderAndApp();
    const path = join(temporaryFolder(), "new", "space");
    for (const folder of [path, temporaryFolder()]) {
      const { code, stderr } = await foldspace(["serve", folder, "--app", app]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/--create makes one \(FOLD_NOT_(FOUND|A_SPACE)\)\n$/);
    }
    const created = await served([path, "--app", app, "--create", "--name", "Made", "--json"]);
    const { spaceId } = JSON.parse(created.stdout) as { spaceId: string };
    expect(JSON.parse((await foldspace(["info", path, "--json"])).stdout)).toMatchObject({ id: spaceId, name: "Made" });
    const again = await served([path, "--app", app, "--create", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ spaceId });
    const old = await foldspace(["serve", copyOfFixture("v0"), "--app", app, "--create"]);
    expect(old).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("foldspace migrate") });
  });

  test("what it cannot do it says, with a code", async () => {
    const { folder, app } = folderAndApp();
    const path = spaceWith();
    const wrong = await foldspace(["serve", path, "--app", folder]);
    expect(wrong).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("There is no built app in") });
    const busy = await serve();
    const taken = await foldspace(["serve", path, "--app", app, "--port", String(busy.server.port)]);
    expect(taken).toMatchObject({ code: 1, stdout: "" });
    expect(taken.stderr).toBe(
      `foldspace: Another program uses port ${busy.server.port}: choose another one with --port, or --port 0 for any that is free (FOLD_BUSY)\n`,
    );
    await busy.stop();
    for (const port of ["-1", "65536", "http", "1.5", ""])
      expect((await foldspace(["serve", path, "--port", port])).code).toBe(2);
    expect((await foldspace(["serve"])).code).toBe(2);
  });
});

describe("the built command", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("ends by itself on %s, with 0, while clients are connected", async (signal) => {
    assertBuilt();
    const { folder, app } = folderAndApp();
    const command = await ServedProcess.start(folder, ["--port", "0", "--app", app, "--create"]);
    const fs = connect(command);
    await fs.watch("space-v1", () => undefined);
    expect(await (await fetch(`${command.origin}/`)).text()).toContain("<title>app</title>");
    expect(await command.end(signal)).toBe(0);
    fs.close();
  });

  test("may be killed while somebody types: what was typed stays in the queue, and arrives when it is back", async () => {
    assertBuilt();
    const { folder, app } = folderAndApp();
    const token = { FOLDSPACE_SERVE_TOKEN: newId() };
    let command = await ServedProcess.start(folder, ["--port", "0", "--app", app, "--create"], token);
    const { spaceId, port } = command;
    const fs = connect(command);
    const layer = new FileSystemPersistenceLayer("", spaceId, { fs, flushIntervalMs: 20 });
    const space = await new SpaceManager().loadSpace({ id: spaceId }, [layer]);
    const root = space.tree.root!;
    const text = "x".repeat(10_000);
    let typed = 0;
    const type = (): void => void root.newNamedChild(`note ${(typed += 1)}`, { text });
    for (let round = 0; round < 3; round += 1) {
      const before = typed;
      // it is killed with something under way
      await until("much was typed", async () => {
        for (let times = 0; times < 10; times += 1) type();
        return typed >= before + 300;
      });
      expect(await command.end("SIGKILL")).toBe("SIGKILL");
      await until("the loss is noticed", () => {
        type();
        return layer.status.state === "degraded";
      });
      expect(layer.status).toMatchObject({ error: { code: "FOLD_FOLDER_LOST" } });
      expect(layer.status.pendingOps).toBeGreaterThan(0);
      await expect(space.flush()).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
      command = await ServedProcess.start(folder, ["--port", String(port), "--app", app], token);
      await until("all is saved", () => isFlushed(space));
      expect(layer.status).toMatchObject({ state: "idle", pendingOps: 0 });
    }
    await space.close();
    fs.close();
    expect(await command.end("SIGTERM")).toBe(0);

    const again = await new SpaceManager().loadSpace({ id: spaceId }, [new FileSystemPersistenceLayer(folder, spaceId)]);
    const notes = again.tree.root!.children.map(({ name }) => name).filter((name) => name?.startsWith("note "));
    expect(notes.sort()).toEqual(Array.from({ length: typed }, (_, index) => `note ${index + 1}`).sort());
    await again.close();
  });

  test("has the server in a part of its own, which other commands do not load", () => {
    assertBuilt();
    const main = readFileSync(join(ROOT, "dist/cli/main.js"), "utf8");
    expect(main).not.toContain('from "ws"');
    const { status } = spawnSync(process.execPath, [join(ROOT, "dist/cli/main.js"), "serve", "--help"]);
    expect(status).toBe(0);
  });
});

test.each(["src/index.ts", "src/fs/bridge/index.ts", "src/fs/web/index.ts", "src/layers/indexeddb/index.ts"])(
  "%s has no server in it, and nothing of Node",
  async (entry) => {
    const { metafile } = await build({
      entryPoints: [join(ROOT, entry)],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
      alias: {
        "#platform-fs": join(ROOT, "src/fs/platform/platform-none.ts"),
        "#platform-peers": join(ROOT, "src/peers/platform/platform-none.ts"),
        "#platform-worker": join(ROOT, "src/worker/start-web.ts"),
      },
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((path) => /node_modules\/(ws|open|commander)\/|src\/serve\//.test(path))).toEqual([]);
    expect(inputs.some((path) => path.endsWith(entry))).toBe(true);
  },
);

async function isFlushed(space: Space): Promise<boolean> {
  return await space.flush().then(
    () => true,
    () => false,
  );
}
