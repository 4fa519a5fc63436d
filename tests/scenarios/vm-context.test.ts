import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  FileSystemPersistenceLayer,
  newId,
  repairFolder,
  SpaceFolder,
  SpaceManager,
  verifyFolder,
  type Problem,
} from "../../src/index.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";

// Runs in the projects `node` and `vm`. In the latter, the errors of the platform are of another realm.

test("a space in a folder is made, protected, verified, repaired and opened again", async () => {
  const path = mkdtempSync(join(tmpdir(), "foldspace-vm-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const id = newId();
  const manager = new SpaceManager();
  const options = { secrets: { argon2: WEAKEST_ARGON2 } };
  const layer = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer(path, id);
  const space = await manager.createSpace({ id, name: "N", persistenceLayers: [layer()], ...options });
  space.tree.root!.newNamedChild("kept");
  space.secrets.set("key", "value");
  await space.secrets.protect("passphrase");
  await manager.closeSpace(id);

  const folder = new SpaceFolder(new NodeFileSystem(), path);
  const problems: Problem[] = [];
  for await (const problem of verifyFolder(folder)) problems.push(problem);
  expect(problems).toEqual([]);
  expect((await repairFolder(folder)).left).toEqual([]);

  const again = await manager.loadSpace({ id }, [layer()], options);
  expect(again.tree.getVertexByPath("/kept")?.name).toBe("kept");
  await again.secrets.unlock("passphrase");
  expect(again.secrets.get("key")).toBe("value");
  await manager.closeSpace(id);
});
