import { describe, test, type TestContext } from "vitest";
import type { FileSystemSetup } from "./file-system-fixture.ts";
import { folderTests } from "./file-system-folder-tests.ts";
import { readingTests } from "./file-system-reading-tests.ts";
import { watchTests } from "./file-system-watch-tests.ts";
import { writingTests } from "./file-system-writing-tests.ts";

/** Declares a test that gets a file system with an empty folder of its own. */
export type FileSystemTest = (title: string, body: (setup: FileSystemSetup, context: TestContext) => Promise<void>) => void;

/** Replacing 250 MB and waiting for hints takes long on a slow disk. */
const TIMEOUT_MS = 60_000;

/**
 * Tests whether a file system does what `FileSystem` promises. It skips features that `supports` denies.
 * @example
 * testFileSystem("MemoryFileSystem", async () => {
 *   const fs = new MemoryFileSystem();
 *   await fs.makeDirectory("/root");
 *   return { fs, root: "/root" };
 * });
 */
export function testFileSystem(name: string, setup: () => Promise<FileSystemSetup> | FileSystemSetup): void {
  const declare: FileSystemTest = (title, body) => {
    test(title, { timeout: TIMEOUT_MS }, async (context) => {
      const made = await setup();
      try {
        await body(made, context);
      } finally {
        await made.teardown?.();
      }
    });
  };
  describe(name, () => {
    describe("reading", () => readingTests(declare));
    describe("writing", () => writingTests(declare));
    describe("folders", () => folderTests(declare));
    describe("watching", () => watchTests(declare));
  });
}
