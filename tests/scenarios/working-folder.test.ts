import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import { newId } from "../../src/tree/index.ts";
import { temporaryFolder } from "./cli-harness.ts";

const before = process.cwd();
afterEach(() => process.chdir(before));

describe.each([
  ["by default", undefined],
  ["that is passed", new NodeFileSystem()],
])("with the file system of Node %s", (_, fs) => {
  test("a relative path keeps its meaning when the working folder changes", async () => {
    const [here, elsewhere, id] = [temporaryFolder(), temporaryFolder(), newId()];
    process.chdir(here);
    const layer = new FileSystemPersistenceLayer("notes", id, fs ? { fs } : {});
    process.chdir(elsewhere);
    const manager = new SpaceManager();
    const space = await manager.createSpace({ id, persistenceLayers: [layer] });
    mkdirSync(join(elsewhere, "sub"));
    process.chdir(join(elsewhere, "sub"));
    space.tree.root!.newNamedChild("written after the change");
    await space.flush();
    await manager.closeSpace(id);
    expect(existsSync(join(elsewhere, "notes"))).toBe(false);
    process.chdir(here);
    const folder = new SpaceFolder(new NodeFileSystem(), "notes");
    process.chdir(elsewhere);
    expect(await folder.open()).toEqual({ id });
    const again = await new SpaceManager().loadSpace({ id }, [new FileSystemPersistenceLayer(join(here, "notes"), id)]);
    expect(again.tree.root!.children.map(({ name }) => name)).toContain("written after the change");
    await again.close();
  });
});
