import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { Git } from "./git.ts";
import { describeWith } from "./programs.ts";
import { Rig } from "./rig.ts";
import type { Site } from "./transport.ts";
import { testTransport } from "./transport-suite.ts";

describeWith("git", "Git", () => {
  const traits = { keepsBothSecrets: true, secretsCopies: /\/secrets_REMOTE_\d+$/ };
  testTransport("Git", traits, (site) => new Git(site, []));

  describe("that changes line ends", () => {
    const connect = (site: Site): Git => new Git(site, ["core.autocrlf=true"]);
    testTransport("Git, core.autocrlf", traits, connect);

    test("leaves those of the space as they are", async () => {
      const rig = await Rig.open(connect);
      rig.two.space.tree.root!.newNamedChild("a vertex");
      rig.two.space.secrets.set("name", "value");
      await rig.conclude();
      const contents = (): Record<string, string>[] => rig.transport.folders.map(contentOf);
      // the secrets are written after the operations
      await expect.poll(() => isDeepStrictEqual(...(contents() as [object, object])), { timeout: 10_000 }).toBe(true);
      expect(Object.values(contents()[1]!).join("")).not.toContain("\r");
    });
  });
});

/** Of the space, by path. */
function contentOf(folder: string): Record<string, string> {
  const space = join(folder, "space-v1");
  const files = readdirSync(space, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name).slice(space.length),
      readFileSync(join(parentPath, name), "utf8"),
    ]),
  );
}
