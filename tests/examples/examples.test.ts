import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import { assertBuilt } from "../built-command.ts";
import { serveFolder } from "../bundlers/static-server.ts";
import { Projects, readManifest, runScript } from "./projects.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const executablePath = findChromium();
/** For machines that are busy with other tests. */
const IN_TIME = { timeout: 30_000 };
const LONG = { timeout: 300_000 };

let projects: Projects;
beforeAll(() => {
  assertBuilt();
  projects = new Projects();
});
afterAll(() => projects.remove());

/** How a person uses the page of an example. */
interface Usage {
  readonly add: (page: Page, text: string) => Promise<void>;
  readonly texts: (page: Page) => Promise<string[]>;
}

const fields: Usage = {
  add: async (page, text) => {
    const count = await page.getByRole("textbox").count();
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("textbox").nth(count).pressSequentially(text);
  },
  texts: async (page) =>
    await page.getByRole("textbox").evaluateAll((all) => all.map((each) => (each as HTMLInputElement).value)),
};

const rows: Usage = {
  add: async (page, text) => {
    await page.getByRole("textbox", { name: "New item" }).fill(text);
    await page.getByRole("button", { name: "Add" }).click();
  },
  texts: async (page) => await page.getByRole("listitem").locator("label").allTextContents(),
};

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROMIUM_ARGS] });
  });
  afterAll(async () => await browser.close());

  /** Builds the project of an example, and opens its page twice. */
  async function openTwice(template: string): Promise<{ readonly tabs: readonly [Page, Page]; readonly errors: unknown[] }> {
    const project = await projects.make(template);
    await runScript(project, "build");
    // the policy that docs/deploying.md recommends
    const [, policy] = /^```\n(default-src .*)\n```$/m.exec(readFileSync(at("docs/deploying.md"), "utf8"))!;
    const index = join(project, "dist/index.html");
    const html = readFileSync(index, "utf8");
    writeFileSync(index, html.replace("<head>", `<head><meta http-equiv="content-security-policy" content="${policy}">`));
    const server = await serveFolder(join(project, "dist"));
    const context = await browser.newContext();
    onTestFinished(async () => {
      await context.close();
      server.close();
    });
    const errors: unknown[] = [];
    // the browser's own picker of folders, which no program can answer
    await context.addInitScript(() => {
      Object.assign(globalThis, { showDirectoryPicker: async () => await navigator.storage.getDirectory() });
    });
    context.on("weberror", (error) => errors.push(error.error()));
    context.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) errors.push(message.text());
    });
    const open = async (): Promise<Page> => {
      const page = await context.newPage();
      await page.goto(server.url);
      await page.getByRole("button", { name: "Add" }).waitFor();
      return page;
    };
    return { tabs: [await open(), await open()], errors };
  }

  test.each([
    ["vanilla", rows],
    ["react", fields],
    ["svelte", fields],
    ["vue", fields],
  ] as const)("%s: a list that is live in two tabs, and there after a reload", LONG, async (template, { add, texts }) => {
    const { tabs, errors } = await openTwice(template);
    const [one, two] = tabs;
    await add(one, "Milk");
    await expect.poll(async () => await texts(two), IN_TIME).toEqual(["Milk"]);
    await add(two, "Tea");
    await expect.poll(async () => await texts(one), IN_TIME).toEqual(["Milk", "Tea"]);
    await one.getByRole("button", { name: "Delete" }).first().click();
    await expect.poll(async () => await texts(two), IN_TIME).toEqual(["Tea"]);
    await two.reload();
    await expect.poll(async () => await texts(two), IN_TIME).toEqual(["Tea"]);
    expect(errors).toEqual([]);
    // the policy is in force
    await expect(one.addScriptTag({ content: "0" })).rejects.toThrow("Content Security Policy");
    errors.length = 0;

    if (template !== "vanilla") return;
    await two.getByRole("button", { name: "Keep in a folder" }).click();
    const files = (): Promise<string[]> =>
      two.evaluate(async () => {
        const space = await (await navigator.storage.getDirectory()).getDirectoryHandle("space-v1");
        const names = [];
        for await (const name of space.keys()) names.push(name);
        return names;
      });
    await expect.poll(async () => await files().catch(() => []), IN_TIME).toEqual(expect.arrayContaining(["ops", "space.json"]));
    await expect.poll(async () => await two.getByRole("status").textContent(), IN_TIME).toMatch(/idle.*idle/);
    expect(errors).toEqual([]);
  });
});

/** A process of the Node example. */
class Device {
  readonly #process: ChildProcess;
  #printed = "";
  readonly ended: Promise<number | null>;

  constructor(project: string, folder: string) {
    this.#process = spawn(process.execPath, ["device.js", folder], { cwd: project, stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout!.on("data", (data: Buffer) => (this.#printed += String(data)));
    this.ended = new Promise((resolve) => this.#process.on("exit", resolve));
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  get lastLine(): string | undefined {
    return this.#printed.trimEnd().split("\n").at(-1);
  }

  type(line: string): void {
    this.#process.stdin!.write(`${line}\n`);
  }

  end(): void {
    this.#process.stdin!.end();
  }
}

test("node: what is typed into one process appears in the other one", LONG, async () => {
  const project = await projects.make("node");
  const folder = mkdtempSync(join(tmpdir(), "foldspace-groceries-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [laptop, phone] = [new Device(project, folder), new Device(project, folder)];
  const bothShow = async (list: string): Promise<void> => {
    for (const device of [laptop, phone]) await expect.poll(() => device.lastLine, IN_TIME).toBe(list);
  };
  await bothShow("The list:");
  laptop.type("Milk");
  await bothShow("The list: Milk");
  phone.type("Tea");
  await bothShow("The list: Milk, Tea");
  laptop.end();
  phone.end();
  expect([await laptop.ended, await phone.ended]).toEqual([0, 0]);
});

test("custom-layer: the layer passes the conformance suite, and two devices share a space through it", LONG, async () => {
  const project = await projects.make("custom-layer");
  expect(await runScript(project, "start")).toMatch(/^The phone has: written at 2/);
  expect(await runScript(project, "test")).toMatch(/\d+ passed/);
});

test("tauri: the page is built, and may do with files what the desktop app may", LONG, async () => {
  const project = await projects.make("tauri");
  await runScript(project, "build");
  expect(readdirSync(join(project, "dist"))).toContain("index.html");
  const filePermissions = (path: string): string[] => {
    const { permissions } = JSON.parse(readFileSync(path, "utf8")) as { permissions: string[] };
    return permissions.filter((name) => name.startsWith("fs:"));
  };
  const capability = "src-tauri/capabilities/default.json";
  expect(filePermissions(join(project, capability))).toEqual(filePermissions(at(`app/${capability}`)));
});

describe("npm create foldspace", () => {
  const templates = readdirSync(at("examples"), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? entry.name : [],
  );

  test("has the version of foldspace, and all examples as templates", () => {
    expect(readManifest(projects.creator).version).toBe(packageJson.version);
    expect(readdirSync(join(projects.creator, "templates")).sort()).toEqual(templates.sort());
  });

  test("names the project after its folder, and has Git ignore what is built", async () => {
    await projects.create("My list", "-t", "node");
    const project = join(projects.creator, "../My list");
    expect(readManifest(project).name).toBe("my-list");
    expect(readFileSync(join(project, ".gitignore"), "utf8")).toContain("/node_modules/\n");
  });

  // `script` of Debian gives it a terminal
  test.skipIf(process.platform !== "linux")("asks on a terminal for what is missing", () => {
    const folder = mkdtempSync(join(tmpdir(), "foldspace-asked-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const command = `"${process.execPath}" "${join(projects.creator, "index.js")}"`;
    const settings = { cwd: folder, encoding: "utf8", input: "answered\nvue\n" } as const;
    const { status, stdout } = spawnSync("script", ["-qec", command, "/dev/null"], settings);
    expect(status, stdout).toBe(0);
    expect(readManifest(join(folder, "answered")).dependencies).toHaveProperty("vue");
  });

  test("refuses a folder that is not empty, and names the templates if none is chosen", async () => {
    await projects.create("taken", "--template", "node");
    await expect(projects.create("taken", "--template", "node")).rejects.toThrow("taken is not empty");
    await expect(projects.create("other")).rejects.toThrow(templates.sort().join(", "));
    await expect(projects.create("other", "--template", "cobol")).rejects.toThrow("react");
  });
});

test("the list in React takes at most 40 lines", () => {
  const source = readFileSync(at("examples/react/src/main.tsx"), "utf8");
  expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
});
