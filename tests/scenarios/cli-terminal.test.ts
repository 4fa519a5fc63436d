import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { spaceWith } from "./cli-harness.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
/** Debian's `script` runs a command on a terminal of its own. */
const hasScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
if (!hasScript) process.stderr.write("TESTS ON A TERMINAL ARE LEFT OUT: they need `script` of util-linux\n");

/** Runs the command on a terminal and types a line whenever it has shown a text. */
async function onTerminal(
  args: readonly string[],
  dialogue: readonly (readonly [shown: string, typed: string])[],
): Promise<{
  readonly code: number | null;
  /** Everything the terminal shows, what it echoes included. */
  readonly screen: string;
}> {
  const command = [process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(" ");
  const terminal = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
  onTestFinished(() => void terminal.kill("SIGKILL"));
  let screen = "";
  const waiting = [...dialogue];
  terminal.stdout.on("data", (bytes: Buffer) => {
    screen += bytes.toString();
    if (waiting[0] && screen.endsWith(waiting[0][0])) terminal.stdin.write(waiting.shift()![1]);
  });
  const code = await new Promise<number | null>((resolve) => terminal.once("close", resolve));
  return { code, screen };
}

test.runIf(hasScript)("what is typed as a secret is not shown, and can be corrected", async () => {
  const path = spaceWith();
  const { code, screen } = await onTerminal(
    ["secrets", "set", path, "key"],
    [["Value of key: ", "wrong\u0015hunt\u007fter2🔑\r"]],
  );
  expect(code).toBe(0);
  expect(screen).toBe("Value of key: \r\nkey set\r\n");
  const { stdout } = spawnSync(process.execPath, [MAIN, "secrets", "get", path, "key"], { encoding: "utf8" });
  expect(stdout).toBe("hunter2🔑\n");
});

test.runIf(hasScript)("a passphrase is asked for twice, and an interrupt leaves everything as it was", async () => {
  const path = spaceWith();
  const { code, screen } = await onTerminal(
    ["secrets", "protect", path],
    [
      ["New passphrase: ", "correct horse\r"],
      ["The same again: ", "\u0003"],
    ],
  );
  expect(code).not.toBe(0);
  expect(screen).not.toContain("horse");
  expect(spawnSync(process.execPath, [MAIN, "secrets", "list", path, "--json"], { encoding: "utf8" }).stdout).toBe(
    '{"protection":"none","names":[]}\n',
  );
});
