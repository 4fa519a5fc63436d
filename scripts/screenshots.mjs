// Takes screenshots of the states of the web app for review, and lets axe-core search each state for obstacles to
// accessibility. Needs a build (`npm run build`) and, like the tests, Chromium.
//
// node scripts/screenshots.mjs FOLDER [NAME…]
import { spawn } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [target, ...wanted] = process.argv.slice(2);
if (target === undefined) {
  console.error("A target folder is missing: node scripts/screenshots.mjs FOLDER");
  process.exit(2);
}
mkdirSync(target, { recursive: true });
const root = fileURLToPath(new URL("..", import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "foldspace-shots-"));
const folder = join(scratch, "Notes");
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

const server = spawn(
  process.execPath,
  [join(root, "dist/cli/main.js"), "serve", folder, "--create", "--name", "Field notes", "--port", "0"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
let violations = 0;
try {
  const url = await firstLine(server.stdout);
  await photograph(url);
} finally {
  await browser.close();
  server.kill();
  rmSync(scratch, { recursive: true, force: true });
}
console.log(violations === 0 ? "axe-core found nothing." : `axe-core found ${violations} violations.`);
process.exit(violations === 0 ? 0 : 1);

async function photograph(url) {
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") console.error(`the page says: ${message.text()}`);
  });
  page.on("pageerror", (error) => console.error(`the page throws: ${error.stack}`));
  await page.goto(url);
  await page.getByTestId("row").first().waitFor();
  await saved(page);
  await shoot(page, "first-run");

  await page.getByRole("button", { name: "Close the introduction" }).click();
  await shoot(page, "outline");

  await page.getByTestId("row").nth(2).hover();
  await shoot(page, "row-hovered");

  await page.getByRole("textbox", { name: "Item", exact: true }).nth(1).click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await shoot(page, "selection");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "New page" }).click();
  await page.getByRole("textbox", { name: "Page title" }).fill("Packing list");
  await shoot(page, "empty-page");
  await page.keyboard.press("Enter");
  for (const text of ["Tent and pegs", "Sleeping bag", "Stove, gas, matches", "Maps"]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
  }
  await page.keyboard.press("Tab");
  await page.keyboard.type(
    "The one of the northern valley, which takes up two lines when the window is narrow enough for it to do so",
  );
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Control+Enter");
  await saved(page);
  await shoot(page, "editing");

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("the");
  await page.getByRole("option").first().waitFor();
  await page.getByText(/found\.$/).waitFor();
  await shoot(page, "search");
  await page.keyboard.press("Escape");

  await bothWrite(page, url);
  await page.getByRole("button", { name: "Two versions" }).click();
  await page.getByRole("heading", { name: "Changed on two devices at the same time" }).waitFor();
  await shoot(page, "two-versions");
  await page.getByRole("button", { name: "Keep this" }).click();

  await page.getByRole("button", { name: "Field notes" }).click();
  await page.getByRole("menuitem", { name: "Keyboard…" }).click();
  await page.getByRole("heading", { name: "Writing" }).waitFor();
  await shoot(page, "keyboard");
  await page.keyboard.press("Escape");

  const open = async (name) => await page.getByRole("button", { name, exact: true }).first().click();
  await open("Sync");
  await shoot(page, "sync");
  trouble();
  await page.getByTestId("problems").getByText("A sync service made a copy").waitFor({ timeout: 40_000 });
  await page.getByTestId("problems").getByText("Which files").first().click();
  await shoot(page, "sync-problems");

  await open("Files");
  await page.getByText("list of pages").waitFor();
  await shoot(page, "files");
  await page.locator("summary", { hasText: "Packing list" }).click();
  await page.getByRole("button", { name: /jsonl/ }).filter({ visible: true }).last().click();
  await page.getByRole("region", { name: "Lines of the file" }).waitFor();
  await shoot(page, "file");

  await open("History");
  await page.getByTestId("history-slider").waitFor();
  await page.getByTestId("history-slider").focus();
  await page.keyboard.press("ArrowLeft");
  await shoot(page, "history");

  await open("Secrets");
  await page.getByLabel("Name", { exact: true }).fill("Weather service");
  await page.getByLabel("Value", { exact: true }).fill("k-2941-77");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Show Weather service" }).click();
  await shoot(page, "secrets");
  await page.getByRole("button", { name: "Protect with a passphrase…" }).click();
  await page.getByLabel("New passphrase").fill("four words never joined");
  await page.getByLabel("Once more").fill("four words never joined");
  await shoot(page, "secrets-protect");
  await page.getByRole("button", { name: "Protect", exact: true }).click();
  await page.getByTestId("recovery-code").waitFor();
  await shoot(page, "secrets-recovery-code");
  await page.getByRole("button", { name: "I have it" }).click();
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByLabel("Passphrase or recovery code").waitFor();
  await shoot(page, "secrets-locked");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Import and export" }).click();
  await shoot(page, "menu");
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Welcome" }).click();
  const parent = page.getByRole("treeitem", { expanded: true }).first();
  await parent.getByRole("button", { name: /^Open/ }).click();
  await page.getByRole("navigation", { name: "Path" }).getByRole("link").first().waitFor();
  await shoot(page, "zoomed");
  await page.goBack();

  await page.emulateMedia({ colorScheme: "dark" });
  await open("Sync");
  await shoot(page, "dark");
  await open("Sync");
  await shoot(page, "dark-outline");
  await page.emulateMedia({ colorScheme: "light" });

  await page.setViewportSize(PHONE);
  await shoot(page, "phone");
  await page.getByRole("button", { name: "Menu", exact: true }).click();
  await page.locator("nav :focus").waitFor();
  await shoot(page, "phone-menu");
  await open("Sync");
  await shoot(page, "phone-sync");

  const untrusted = await (await browser.newContext({ viewport: DESKTOP })).newPage();
  await untrusted.goto(url.replace(/#.*/, "#token=no-token-of-this-server"));
  await untrusted.getByRole("heading", { name: "Your notes could not be opened" }).waitFor();
  await shoot(untrusted, "not-opened");
  await untrusted.close();

  server.kill();
  await page.getByRole("button", { name: "Close Sync" }).click();
  await page.setViewportSize(DESKTOP);
  await page.getByRole("textbox", { name: "Item", exact: true }).first().click();
  await page.keyboard.type("Written while the folder is away. ");
  await page.getByTestId("status").filter({ hasText: "unreachable" }).waitFor({ timeout: 30_000 });
  await open("Sync");
  await shoot(page, "unreachable");
  await context.close();
}

/** Changes one item's text on two devices before they have synced. */
async function bothWrite(page, url) {
  const context = await browser.newContext({ viewport: DESKTOP });
  const other = await context.newPage();
  await other.goto(url);
  await other.getByRole("link", { name: "Packing list" }).click();
  const items = [page, other].map((each) => each.getByRole("textbox", { name: "Item", exact: true }).first());
  for (const item of items) await item.click();
  await Promise.all([page.keyboard.type(", the big one"), other.keyboard.type(", mended")]);
  await page.getByRole("button", { name: "Two versions" }).waitFor();
  await context.close();
  await page.bringToFront();
}

async function shoot(page, name) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  await page.screenshot({ path: join(target, `${name}.png`) });
  // evaluated, because the page's policy would block it as a script
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  for (const { id, help, nodes } of found.violations) {
    violations++;
    console.error(`${name}: ${id}: ${help}`);
    for (const { html, failureSummary } of nodes.slice(0, 3))
      console.error(`    ${html.slice(0, 160)}\n      ${failureSummary.replaceAll("\n", " ").slice(0, 300)}`);
  }
}

async function saved(page) {
  await page.getByTestId("status").filter({ hasText: "Saved in browser and folder" }).waitFor();
}

/** Damages the folder as a sync service and a sudden shutdown would. */
function trouble() {
  const log = files(join(folder, "space-v1/ops")).find((path) => path.endsWith(".jsonl"));
  copyFileSync(log, log.replace(".jsonl", " (conflicted copy 2026-11-21).jsonl"));
  appendFileSync(log.replace(/[0-9a-f]{32}\.jsonl$/, "0123456789abcdef0123456789abcdef.jsonl"), '["m",7,"306adfa8');
}

function files(path) {
  return readdirSync(path).flatMap((name) =>
    statSync(join(path, name)).isDirectory() ? files(join(path, name)) : [join(path, name)],
  );
}

async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("The server has ended without an address");
}

function findChromium() {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const found =
    CHROMIUM_PATH ??
    PATH.split(delimiter)
      .flatMap((path) => names.map((name) => join(path, name)))
      .find((path) => existsSync(path));
  if (found === undefined) throw new Error("No Chromium was found");
  return found;
}
