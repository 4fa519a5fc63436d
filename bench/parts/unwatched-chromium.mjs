// A Chromium whose pages are left alone while they load. A driver makes the browser record the stack of every request and
// run scripts in every page, which takes the page's time. This one evaluates an expression only after the page is visible.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { LAUNCH_ARGS } from "./chromium.mjs";

export class UnwatchedChromium {
  #process;
  #socket;
  #nextId = 1;
  #waiting = new Map();

  /** @param {string} profile folder of the browser's data */
  static async start(executablePath, profile) {
    const browser = new UnwatchedChromium();
    const args = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--window-size=1280,800"];
    browser.#process = spawn(executablePath, [...LAUNCH_ARGS, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of createInterface({ input: browser.#process.stderr })) {
      const [address] = /ws:\/\/\S+/.exec(line) ?? [];
      if (address === undefined) continue;
      await browser.#connect(address);
      return browser;
    }
    throw new Error("The browser has ended without an address");
  }

  /**
   * Opens an address in a tab of its own and closes the tab.
   * @param {number} restMs how long the page is left alone
   * @param {string} expression to evaluate after that
   */
  async visit(url, restMs, expression) {
    const { targetId } = await this.#send("Target.createTarget", { url });
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", asked, sessionId);
    await this.#send("Target.closeTarget", { targetId });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async stop() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.#send("Browser.close");
    await ended;
    this.#socket.close();
  }

  async #connect(address) {
    this.#socket = new WebSocket(address);
    await new Promise((resolve, reject) => this.#socket.once("open", resolve).once("error", reject));
    this.#socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(data);
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
    });
  }

  async #send(method, params = {}, sessionId) {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    return await new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}
