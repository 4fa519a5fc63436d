import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** Timeout of every expectation, in milliseconds, long enough for a busy machine. */
export const SOON: { readonly timeout: number; readonly interval: number } = { timeout: 15_000, interval: 20 };

export interface Caret {
  /** The text of its item. */
  readonly text: string;
  readonly offset: number;
}

/** The app in a tab, driven in the same way as by a user. */
export class AppPage {
  readonly page: Page;
  /** Errors and warnings of the browser. */
  readonly complaints: string[] = [];

  /** @param expected the errors that the test provokes */
  constructor(page: Page, expected?: RegExp) {
    this.page = page;
    page.setDefaultTimeout(SOON.timeout);
    const complain = (text: string): void => {
      if (!expected?.test(text)) this.complaints.push(text);
    };
    page.on("pageerror", (error) => complain(error.stack ?? error.message));
    // this includes violations of the content security policy
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(message.text());
    });
  }

  async goto(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByTestId("status").waitFor();
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  // ---- the outline ----

  get title(): Locator {
    return this.page.getByRole("textbox", { name: "Page title" });
  }

  /** The item with this text. */
  row(text: string): Locator {
    const exactly = new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`);
    const field = this.page.getByRole("textbox", { name: "Item", exact: true }).filter({ hasText: exactly });
    // the name of an item with a note includes the note
    const noted = this.page
      .getByTestId("row")
      .filter({ has: this.page.locator(".note") })
      .filter({ has: field });
    return this.page.getByRole("treeitem", { name: text, exact: true }).or(noted);
  }

  /** The editable text of an item. */
  field(text: string): Locator {
    return this.row(text).getByRole("textbox", { name: "Item" });
  }

  /** The rows as lines, indented by their depth: `+` marks a folded item, `x` a done one. */
  async outline(): Promise<string[]> {
    return await this.page.getByTestId("row").evaluateAll((rows) =>
      rows.map((row) => {
        const depth = Number(row.getAttribute("aria-level")) - 1;
        const folded = row.getAttribute("aria-expanded") === "false" ? "+ " : "";
        const done = row.querySelector<HTMLInputElement>("input[type=checkbox]")?.checked ? "x " : "";
        return `${"  ".repeat(depth)}${folded}${done}${row.querySelector("[role=textbox]")?.textContent ?? ""}`;
      }),
    );
  }

  /** Waits until an item with this text is in the page. */
  async untilSeen(text: string): Promise<void> {
    await this.page.evaluate(
      ([wanted, timeoutMs]) =>
        new Promise<void>((resolve, reject) => {
          const look = (): void => {
            const fields = [...document.querySelectorAll("[data-testid=row] [role=textbox]")];
            if (!fields.some(({ textContent }) => textContent === wanted)) return;
            observer.disconnect();
            resolve();
          };
          const observer = new MutationObserver(look);
          observer.observe(document.body, { subtree: true, childList: true, characterData: true });
          setTimeout(() => reject(new Error(`never seen: ${wanted}`)), timeoutMs);
          look();
        }),
      [text, SOON.timeout] as const,
    );
  }

  async shows(lines: readonly string[]): Promise<void> {
    await expect.poll(() => this.outline(), SOON).toEqual(lines);
  }

  /** Puts the caret into an item: at its end, or at an offset. */
  async edit(text: string, offset: number = text.length): Promise<void> {
    const field = this.field(text);
    await field.focus();
    await field.evaluate((element, at) => {
      const [node] = element.childNodes;
      getSelection()!.collapse(node ?? element, node ? at : 0);
    }, offset);
  }

  async caret(): Promise<Caret | undefined> {
    return await this.page.evaluate(() => {
      const selection = getSelection();
      const field = document.activeElement;
      if (!selection?.isCollapsed || field?.closest("[data-testid=row]") === null) return undefined;
      return { text: field?.textContent ?? "", offset: selection.anchorNode === field ? 0 : selection.anchorOffset };
    });
  }

  /** The shown texts, and the texts that the page offers in their place. */
  async versions(): Promise<string[]> {
    const found: string[] = [];
    for (const badge of await this.button("Two versions").all()) {
      await badge.click();
      const dialog = this.page.getByRole("dialog", { name: "Changed on two devices at the same time" });
      await dialog.waitFor();
      found.push(...(await dialog.getByRole("blockquote").allTextContents()));
      await this.press("Escape");
      await dialog.waitFor({ state: "detached" });
    }
    return found.length > 0 ? found : await this.outline();
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** Makes a page and goes there. @param lines items, indented by two spaces a level */
  async newPage(title: string, lines: readonly string[] = []): Promise<void> {
    await this.page.getByTitle("New page").click();
    await expect.poll(() => this.title.evaluate((field) => field === document.activeElement), SOON).toBe(true);
    await this.type(title);
    if (lines.length === 0) return await this.title.blur();
    await this.press("Enter");
    await this.write(lines);
    await this.shows(lines);
  }

  /** Types items, starting in an empty one. */
  async write(lines: readonly string[]): Promise<void> {
    let depth = 0;
    for (const [index, line] of lines.entries()) {
      if (index > 0) await this.press("Enter");
      const text = line.trimStart();
      for (const wanted = (line.length - text.length) / 2; depth !== wanted; depth += Math.sign(wanted - depth))
        await this.press(depth < wanted ? "Tab" : "Shift+Tab");
      await this.type(text);
    }
  }

  // ---- around the outline ----

  /** Opens the search and types a query without waiting for the dialog. */
  async search(query: string): Promise<Locator> {
    await this.press("Control+k");
    await this.type(query);
    return this.page.getByRole("dialog", { name: "Search" });
  }

  get sidebar(): Locator {
    return this.page.getByRole("navigation", { name: "Pages and tools" });
  }

  /** Titles of the pages. */
  async pages(): Promise<string[]> {
    const titles = await this.sidebar.getByRole("link").allTextContents();
    return titles.map((title) => title.trim());
  }

  async openPage(title: string): Promise<void> {
    await this.sidebar.getByRole("link", { name: title, exact: true }).click();
    await expect.poll(() => this.title.inputValue(), SOON).toBe(title);
  }

  async openPanel(name: "Sync" | "Files" | "History" | "Secrets"): Promise<Locator> {
    await this.sidebar.getByRole("button", { name, exact: true }).click();
    const panel = this.page.getByRole("region", { name, exact: true });
    await panel.waitFor();
    return panel;
  }

  /** @param menu the name of its button */
  async choose(menu: string, entry: string): Promise<void> {
    await this.button(menu).click();
    await this.page.getByRole("menuitem", { name: entry, exact: true }).click();
  }

  /** Downloads the file of a menu's entry. @returns its name and its text */
  async download(menu: string, entry: string): Promise<{ name: string; text: string }> {
    const { name, bytes } = await this.downloadBytes(() => this.choose(menu, entry));
    return { name, text: bytes.toString("utf8") };
  }

  /** Downloads the file of any action. */
  async downloadBytes(act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
    const download = this.page.waitForEvent("download");
    await act();
    const file = await download;
    return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  }

  /** Imports files through the menu. */
  async importFiles(files: readonly { readonly name: string; readonly text: string }[]): Promise<void> {
    const chooser = this.page.waitForEvent("filechooser");
    await this.choose("Import and export", "Import files…");
    const payloads = files.map(({ name, text }) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) }));
    await (await chooser).setFiles(payloads);
  }

  /** The export of everything, in a form for comparisons. */
  async export(): Promise<string> {
    return (await this.download("Import and export", "Everything as JSON")).text;
  }

  async status(): Promise<string> {
    return (await this.page.getByTestId("status").getAttribute("title")) ?? "";
  }

  async untilStatus(text: string): Promise<void> {
    await expect.poll(() => this.status(), SOON).toBe(text);
  }

  async untilSaved(): Promise<void> {
    await this.untilStatus("Saved in browser and folder");
  }
}
