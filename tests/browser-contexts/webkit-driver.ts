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
/** The name under which WebDriver sends an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** A program that shows pages by WebKitGTK. */
export interface WebKitProgram {
  readonly driver: string;
  /** The program itself, which lets itself be driven. */
  readonly binary: string;
  readonly args?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Without it, the screen that is there is used. */
  readonly screen?: string;
}

/** Windows of WebKitGTK, driven by WebDriver: the first that the program opens, until another is switched to. */
export class WebKitWindow {
  readonly #process: ChildProcess;
  readonly #session: string;

  private constructor(process: ChildProcess, session: string) {
    this.#process = process;
    this.#session = session;
  }

  static async open({ driver, binary, args = [], variables, screen }: WebKitProgram): Promise<WebKitWindow> {
    const port = await freePort();
    const command = [driver, `--port=${port}`, "--host=127.0.0.1"];
    const [program, ...parts] = screen === undefined ? command : [screen, "-a", ...command];
    // a process group of its own: the screen, the driver and the program end together
    const child = spawn(program!, parts, {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, NO_AT_BRIDGE: "1", WEBKIT_DISABLE_DMABUF_RENDERER: "1", ...variables },
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await waitFor(`${url}/status`);
      const { sessionId } = await post<{ sessionId: string }>(`${url}/session`, {
        capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary, args } } },
      });
      return new WebKitWindow(child, `${url}/session/${sessionId}`);
    } catch (error) {
      end(child);
      throw error;
    }
  }

  async goTo(url: string): Promise<void> {
    await this.#post("url", { url });
  }

  /** Runs the body of a function in the page. @returns what it returns, as JSON */
  async run<T>(script: string, ...args: readonly unknown[]): Promise<T> {
    return await this.#post<T>("execute/sync", { script, args });
  }

  /** Like `run`, and waits for what it returns. */
  async runAsync<T>(timeoutMs: number, script: string, ...args: readonly unknown[]): Promise<T> {
    await this.#post("timeouts", { script: timeoutMs });
    const waiting = `const done = arguments[arguments.length - 1];
      (async function () { ${script} }).apply(null, arguments).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#post<{ value?: T; error?: string }>("execute/async", { script: waiting, args });
    if (error !== undefined) throw new Error(error);
    return value as T;
  }

  /** Waits for a promise that the page has as a global. */
  async awaitGlobal<T>(name: string, timeoutMs: number): Promise<T> {
    return await this.runAsync<T>(timeoutMs, "return await window[arguments[0]];", name);
  }

  /** Clicks on the first element of a selector. */
  async click(selector: string): Promise<void> {
    await this.#post(`element/${await this.#find(selector)}/click`, {});
  }

  /** Types where the caret is. */
  async type(text: string): Promise<void> {
    const { [ELEMENT]: active } = await this.#get<Record<string, string>>("element/active");
    await this.#post(`element/${active}/value`, { text });
  }

  /** What is seen of the page, as PNG. */
  async screenshot(): Promise<Buffer> {
    // WebKit waits for something to be painted, for ever where nothing changes
    await this.run(`
      const dot = document.createElement("i");
      dot.style.cssText = "position: fixed; inset: 0 auto auto 0; width: 1px; height: 1px";
      document.body.append(dot);
      let left = 100;
      const timer = setInterval(() => {
        dot.style.background = left % 2 === 0 ? "#fefefe" : "#ffffff";
        if (--left > 0) return;
        clearInterval(timer);
        dot.remove();
      }, 50);`);
    return Buffer.from(await this.#get<string>("screenshot"), "base64");
  }

  /** All windows of the program. */
  async windows(): Promise<string[]> {
    return await this.#get<string[]>("window/handles");
  }

  async switchTo(window: string): Promise<void> {
    await this.#post("window", { handle: window });
  }

  /** Ends the program as a crash does, with all that belongs to it. */
  kill(): void {
    end(this.#process, "SIGKILL");
  }

  async close(): Promise<void> {
    try {
      await fetch(this.#session, { method: "DELETE" });
    } finally {
      end(this.#process);
    }
  }

  async #find(selector: string): Promise<string> {
    const found = await this.#post<Record<string, string>>("element", { using: "css selector", value: selector });
    return found[ELEMENT]!;
  }

  async #get<T>(path: string): Promise<T> {
    return await answer<T>(await fetch(`${this.#session}/${path}`));
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    return await post<T>(`${this.#session}/${path}`, body);
  }
}

async function post<T>(url: string, body: unknown): Promise<T> {
  return await answer<T>(await fetch(url, { method: "POST", body: JSON.stringify(body) }));
}

async function answer<T>(response: Response): Promise<T> {
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

function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
}
