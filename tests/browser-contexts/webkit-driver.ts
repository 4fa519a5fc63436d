import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, join } from "node:path";

export interface WebKitPrograms {
  readonly driver: string;
  readonly browser: string;
  /** Runs a program on a screen that nobody sees. */
  readonly screen: string;
}

/** Finds what a test in WebKitGTK needs. @returns the programs, or in words what is missing */
export function findWebKit(): WebKitPrograms | string {
  const inPath = (name: string): string | undefined =>
    (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path));
  const driver = inPath("WebKitWebDriver");
  const screen = inPath("xvfb-run");
  const browser = findMiniBrowser();
  if (!driver) return "WebKitWebDriver is missing (package webkit2gtk-driver)";
  if (!screen) return "xvfb-run is missing (package xvfb)";
  if (!browser) return "MiniBrowser of WebKitGTK is missing (package libwebkit2gtk-4.1-0)";
  return { driver, screen, browser };
}

/** It lies with the library, in a folder that is named after the machine's architecture. */
function findMiniBrowser(): string | undefined {
  const roots = ["/usr/lib", "/usr/libexec"].filter((root) => existsSync(root));
  const folders = roots.flatMap((root) => [root, ...readdirSync(root).map((name) => join(root, name))]);
  return folders
    .flatMap((folder) => ["webkit2gtk-4.1", "webkitgtk-6.0"].map((library) => join(folder, library, "MiniBrowser")))
    .find((path) => existsSync(path));
}

const START_TIMEOUT_MS = 20_000;

/** A window of WebKitGTK, driven by WebDriver. */
export class WebKitWindow {
  readonly #process: ChildProcess;
  readonly #session: string;

  private constructor(process: ChildProcess, session: string) {
    this.#process = process;
    this.#session = session;
  }

  static async open(programs: WebKitPrograms): Promise<WebKitWindow> {
    const port = await freePort();
    // a process group of its own: the screen, the driver and the browser end together
    const child = spawn(programs.screen, ["-a", programs.driver, `--port=${port}`, "--host=127.0.0.1"], {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, NO_AT_BRIDGE: "1", WEBKIT_DISABLE_DMABUF_RENDERER: "1" },
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await waitFor(`${url}/status`);
      const options = { binary: programs.browser, args: ["--automation"] };
      const { sessionId } = await command<{ sessionId: string }>(`${url}/session`, {
        capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } },
      });
      return new WebKitWindow(child, `${url}/session/${sessionId}`);
    } catch (error) {
      end(child);
      throw error;
    }
  }

  async goTo(url: string): Promise<void> {
    await command(`${this.#session}/url`, { url });
  }

  /** Waits for a promise that the page has as a global. */
  async awaitGlobal<T>(name: string, timeoutMs: number): Promise<T> {
    await command(`${this.#session}/timeouts`, { script: timeoutMs });
    const script = `const done = arguments[arguments.length - 1]; window[arguments[0]].then(done, (error) => done(String(error)));`;
    return await command<T>(`${this.#session}/execute/async`, { script, args: [name] });
  }

  async close(): Promise<void> {
    try {
      await fetch(this.#session, { method: "DELETE" });
    } finally {
      end(this.#process);
    }
  }
}

async function command<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
  return value;
}

async function waitFor(url: string): Promise<void> {
  for (const deadline = Date.now() + START_TIMEOUT_MS; ;) {
    try {
      if ((await fetch(url)).ok) return;
    } catch (error) {
      // it is not there yet
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function end(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
}
