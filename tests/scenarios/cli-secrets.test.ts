import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceSecrets } from "../../src/space/space-secrets.ts";
import { newId } from "../../src/tree/index.ts";
import { copyOfFixture, foldspace, listing, SPACE_ID, spaceWith, temporaryFolder, type CommandOptions } from "./cli-harness.ts";
import { readOnlyFileSystem } from "./failing-file-system.ts";

const PASSPHRASE = "correct horse";
const GIVEN: CommandOptions = { variables: { FOLDSPACE_PASSPHRASE: PASSPHRASE } };

async function output(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await foldspace(["secrets", ...args], options);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

async function failure(args: readonly string[], options: CommandOptions = {}): Promise<string | undefined> {
  const { code, stdout, stderr } = await foldspace(["secrets", ...args], options);
  expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: "" });
  return /\((FOLD_[A-Z_]+)\)\n$/.exec(stderr)?.[1];
}

test("secrets are set, listed, printed and deleted", async () => {
  const path = spaceWith();
  expect(await output(["list", path])).toBe("");
  expect(await output(["set", path, "api-key"], { stdin: "sk-123\n" })).toBe("api-key set\n");
  writeFileSync(join(path, "value.txt"), "two\nlines\n");
  await output(["set", path, "from file", "--value-file", "value.txt"], { cwd: path });
  await foldspace(["secrets", "set", path, "typed"], { answers: ["typed value"] });
  expect(await output(["list", path])).toBe("api-key\nfrom file\ntyped\n");
  expect(await output(["get", path, "api-key"])).toBe("sk-123\n");
  expect(await output(["get", path, "from file"])).toBe("two\nlines\n");
  expect(JSON.parse(await output(["get", path, "typed", "--json"]))).toEqual({ name: "typed", value: "typed value" });
  expect(JSON.parse(await output(["list", path, "--json"]))).toEqual({
    protection: "none",
    names: ["api-key", "from file", "typed"],
  });
  expect(await output(["rm", path, "api-key"])).toBe("api-key deleted\n");
  expect(await failure(["rm", path, "api-key"])).toBe("FOLD_NO_SECRET");
  expect(await failure(["get", path, "api-key"])).toBe("FOLD_NO_SECRET");
});

test("what the existing app wrote is listed, and reading writes nothing", async () => {
  const path = copyOfFixture("two-devices");
  const before = listing(path);
  const fs = readOnlyFileSystem();
  expect(await output(["list", path], { fs })).toBe("api-key-anthropic\napi-key-groq\napi-key-openai\nplain\n");
  expect(await output(["get", path, "api-key-groq"], { fs })).toBe("gsk-from-B\n");
  expect(fs.writes).toBe(0);
  expect(listing(path)).toEqual(before);
});

test("without a folder that can be written for what this device has seen, the command does its work and names the remedy", async () => {
  const path = spaceWith();
  await output(["set", path, "key"], { stdin: "value\n" });
  const file = join(path, "a file");
  writeFileSync(file, "");
  const variables = { ...GIVEN.variables, XDG_STATE_HOME: file };
  const { code, stderr } = await foldspace(["secrets", "protect", path], { variables });
  expect(code).toBe(0);
  expect(stderr).toContain(`cannot be kept in ${join(file, "foldspace", "secrets")}`);
  expect(stderr).toContain("set XDG_STATE_HOME to a folder that this user can write to");
  const got = await foldspace(["secrets", "get", path, "key"], { variables });
  expect([got.code, got.stdout]).toEqual([0, "value\n"]);
});

test("on a terminal, a secret cannot move the cursor", async () => {
  const path = spaceWith();
  await output(["set", path, "evil\u001b[2J"], { stdin: "\u001b[31mred" });
  expect(await output(["list", path])).toBe("evil\\u001b[2J\n");
  expect((await foldspace(["secrets", "get", path, "evil\u001b[2J"], { isTTY: true })).stdout).toBe("\\u001b[31mred\n");
  expect(await output(["get", path, "evil\u001b[2J"])).toBe("\u001b[31mred\n");
});

test("problems are told, and do not keep the rest from being used", async () => {
  const copy = await sealPlainFile(SPACE_ID, new Map([["copied", "1"]]));
  const path = spaceWith({ "space-v1/secrets": "broken", "space-v1/secrets (1)": copy });
  const { code, stdout, stderr } = await foldspace(["secrets", "list", path]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "copied\n" });
  expect(stderr).toContain("FOLD_SECRETS_BROKEN");
  expect(stderr).toContain("FOLD_CONFLICT_COPY");
  const verified = await foldspace(["verify", path, "--json"]);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toContain("FOLD_SECRETS_BROKEN");
  expect(verified.stdout).toContain("FOLD_CONFLICT_COPY");
  await foldspace(["secrets", "set", path, "new"], { stdin: "2" });
  expect((await foldspace(["secrets", "list", path])).stdout).toBe("copied\nnew\n");
  expect(readdirSync(join(path, "space-v1")).filter((name) => name.startsWith("secrets.broken-"))).toHaveLength(1);
});

test("a folder that is no space, and one that cannot be written to, are errors", async () => {
  expect(await failure(["list", join(temporaryFolder(), "nothing")])).toBe("FOLD_NOT_FOUND");
  expect(await failure(["set", spaceWith(), "name"], { stdin: "1", fs: readOnlyFileSystem() })).toBe("FOLD_NOT_DURABLE");
  const { stdout } = await foldspace(["secrets", "get", spaceWith(), "none", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "FOLD_NO_SECRET" } });
});

test.each([
  [["secrets"], "Commands:"],
  [["secrets", "nonsense"], "unknown command"],
  [["secrets", "list"], "missing required argument"],
  [["secrets", "get", "DIR"], "missing required argument"],
  [["secrets", "set", "DIR", "name", "value"], "too many arguments"],
  [["secrets", "protect", "DIR", "--passphrase", "x"], "unknown option"],
])("%j is wrong usage", async (args, reason) => {
  const path = spaceWith();
  const { code, stderr } = await foldspace(args.map((arg) => (arg === "DIR" ? path : arg)));
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

test("every command shows its help, with an example", async () => {
  for (const name of ["list", "get", "set", "rm", "protect", "unprotect", "passwd"]) {
    const { code, stdout } = await foldspace(["secrets", name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ foldspace secrets ${name} ~/Notes`);
    expect(stdout).toContain("--json");
  }
  expect((await foldspace(["secrets", "--help"])).stdout).toContain("FOLDSPACE_PASSPHRASE");
});

test("secrets are protected and taken out again, with what is typed on a terminal", { timeout: 60_000 }, async () => {
  const path = spaceWith();
  await output(["set", path, "key"], { stdin: "1" });
  const typo = await foldspace(["secrets", "protect", path], { answers: ["one", "another"] });
  expect(typo).toMatchObject({ code: 1, stdout: "" });
  expect(await output(["get", path, "key"])).toBe("1\n");
  const { code, stdout, stderr } = await foldspace(["secrets", "protect", path], { answers: [PASSPHRASE, PASSPHRASE] });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){8}\n$/);
  expect(stderr).toContain("recovery code");
  expect(stderr).not.toContain(PASSPHRASE);
  expect((await foldspace(["secrets", "get", path, "key"], { answers: [PASSPHRASE] })).stdout).toBe("1\n");
  expect((await foldspace(["secrets", "get", path, "key"], { answers: [stdout.trim()] })).stdout).toBe("1\n");
  expect(await failure(["protect", path], GIVEN)).toBe("FOLD_SECRETS_PROTECTION");
  expect(await output(["unprotect", path], GIVEN)).toBe("1 secret readable without a passphrase now\n");
  expect(await output(["get", path, "key"])).toBe("1\n");
  expect(await failure(["unprotect", path], GIVEN)).toBe("FOLD_SECRETS_PROTECTION");
});

describe("under a passphrase", () => {
  let files: Record<string, string> = {};
  beforeAll(async () => {
    const fs = new MemoryFileSystem();
    const layer = new FileSystemPersistenceLayer("", SPACE_ID, { fs });
    await layer.connect({ peerId: newId(), create: true });
    const secrets = new SpaceSecrets(SPACE_ID, { isReadOnly: false, timeoutMs: 10_000 }, { argon2: WEAKEST_ARGON2 });
    await secrets.attach(layer);
    secrets.set("key", "1");
    await secrets.protect(PASSPHRASE);
    files = Object.fromEntries(Object.entries(fs.dump()).filter(([path]) => path.startsWith("space-v1/secrets")));
    await layer.disconnect();
  });

  test("the passphrase comes from a file, from the environment or from the terminal, and from nowhere else", async () => {
    const path = spaceWith({ ...files, "passphrase.txt": `${PASSPHRASE}\n` });
    expect(await output(["list", path], GIVEN)).toBe("key\n");
    expect(await output(["list", path, "--passphrase-file", "passphrase.txt"], { cwd: path })).toBe("key\n");
    expect(await foldspace(["secrets", "list", path], { answers: [PASSPHRASE] })).toMatchObject({
      code: 0,
      stdout: "key\n",
      stderr: "Passphrase: ",
    });
    expect(await failure(["list", path])).toBe("FOLD_SECRETS_LOCKED");
    expect(await failure(["list", path, "--passphrase-file", "none.txt"], { cwd: path })).toBe("FOLD_NOT_FOUND");
    const before = listing(path);
    expect(await failure(["set", path, "new"], { variables: { FOLDSPACE_PASSPHRASE: "wrong" }, stdin: "2" })).toBe(
      "FOLD_WRONG_PASSPHRASE",
    );
    expect(listing(path)).toEqual(before);
  });

  test("secrets are set and deleted, and the passphrase is changed", { timeout: 60_000 }, async () => {
    const path = spaceWith(files);
    await output(["set", path, "new"], { ...GIVEN, stdin: "2" });
    await output(["rm", path, "key"], GIVEN);
    expect(JSON.parse(await output(["list", path, "--json"], GIVEN))).toEqual({ protection: "unlocked", names: ["new"] });
    const variables = { FOLDSPACE_PASSPHRASE: PASSPHRASE, FOLDSPACE_NEW_PASSPHRASE: "new passphrase" };
    expect(await output(["passwd", path], { variables })).toContain("changed");
    expect(await failure(["list", path], GIVEN)).toBe("FOLD_WRONG_PASSPHRASE");
    expect(await output(["get", path, "new"], { variables: { FOLDSPACE_PASSPHRASE: "new passphrase" } })).toBe("2\n");
    expect(await failure(["passwd", spaceWith()], { variables })).toBe("FOLD_SECRETS_PROTECTION");
  });

  test("what the user has seen is remembered in a private file, and older files are refused until that is accepted", async () => {
    const [path, home] = [spaceWith(files), temporaryFolder()];
    const options = { variables: { ...GIVEN.variables, HOME: home } };
    await output(["set", path, "new"], { ...options, stdin: "2" });
    const state = join(home, ".local/state/foldspace/secrets");
    expect(readdirSync(state)).toEqual([`${SPACE_ID}.json`]);
    expect(statSync(join(state, `${SPACE_ID}.json`)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(state, `${SPACE_ID}.json`), "utf8")).not.toContain("new");

    const restored = spaceWith(files);
    expect(await failure(["list", restored], options)).toBe("FOLD_SECRETS_ROLLED_BACK");
    expect(await output(["list", restored, "--accept-older"], options)).toBe("key\n");
    expect(await output(["list", restored], options)).toBe("key\n");
    // another state folder has seen nothing
    const stateHome = join(home, "other");
    expect(await output(["list", path], { variables: { ...GIVEN.variables, HOME: home, XDG_STATE_HOME: stateHome } })).toBe(
      "key\nnew\n",
    );
    expect(existsSync(join(stateHome, "foldspace/secrets"))).toBe(true);
  });

  test("where nothing can be remembered, that is told, and the secrets are used", async () => {
    const [path, home] = [spaceWith(files), temporaryFolder()];
    mkdirSync(join(home, ".local"));
    writeFileSync(join(home, ".local/state"), "a file");
    const { code, stdout, stderr } = await foldspace(["secrets", "list", path], {
      variables: { ...GIVEN.variables, HOME: home },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "key\n" });
    expect(stderr).toContain("remembered");
  });

  test("verify finds what is wrong with the files without the passphrase, and nothing in good ones", async () => {
    expect((await foldspace(["verify", spaceWith(files)])).code).toBe(0);
    const [[name, text]] = Object.entries(files).filter(([path]) => path.includes("secrets-v2")) as [[string, string]];
    const { code, stdout } = await foldspace(["verify", spaceWith({ ...files, [name]: text.slice(0, -10) }), "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ file: name, code: "FOLD_SECRETS_BROKEN" });
  });

  test("the folder is left as it was by what only reads", async () => {
    const path = spaceWith(files);
    const before = listing(path);
    const fs = readOnlyFileSystem();
    expect(await output(["get", path, "key"], { ...GIVEN, fs })).toBe("1\n");
    expect(fs.writes).toBe(0);
    expect(listing(path)).toEqual(before);
  });
});
