import { expect } from "vitest";
import type { Random } from "../../src/testing/random.ts";
import type { AppPage } from "./app-page.ts";

/** A page on two devices, in which two users type at the same time. */
export interface TypingSession {
  readonly seed: number;
  readonly a: AppPage;
  readonly b: AppPage;
  readonly random: Random;
}

/** Longer than usual, because many browsers share one machine. */
const SETTLED = { timeout: 45_000, interval: 100 } as const;
/** Time of a user between two keys, in milliseconds. */
const [FASTEST_MS, SLOWEST_MS] = [90, 500];

/** Actions of users on a page. Each starts on a new page with these lines. */
export const SESSIONS: Readonly<Record<string, { lines: readonly string[]; run: (session: TypingSession) => Promise<void> }>> = {
  "both write in the same item": {
    lines: ["first", "some words of both", "last"],
    run: async (session) => {
      const { a, b } = session;
      const text = "some words of both";
      const [byA, byB] = await writeInBoth(session, text);
      await bothShow(session, (lines) => {
        expect([lines[0], lines[2], lines.length]).toEqual(["first", "last", 3]);
        hasOnly(lines[1]!, text, [byA, byB]);
      });
      for (const device of [a, b]) expect(await device.button("Two versions").count()).toBe(0);
    },
  },

  "one writes in an item that the other moves": {
    lines: ["one", "two", "three", "four"],
    run: async (session) => {
      const { a, b, random } = session;
      const byB = sentence(random, "b", 16);
      const writing = write(session, b, "two", 3, ` ${byB}`);
      for (let n = 0; n < 3; n++) {
        await pause(random.integer(400, 1_299));
        const item = (await a.outline()).map((line) => line.trim()).find((line) => line.startsWith("two"));
        const about = random.pick(["two", "next"]) === "two" ? item! : random.pick(["three", "one", "four"]);
        await a.page.locator("[data-testid=row]", { hasText: about }).first().getByRole("textbox").focus();
        await a.press(random.pick(["Alt+ArrowUp", "Alt+ArrowDown", "Tab", "Shift+Tab"]));
      }
      await writing;
      await bothShow(session, (lines) => {
        const texts = lines.map((line) => line.trim()).sort();
        expect(texts).toEqual(["four", "one", "three", `two ${byB}`]);
      });
    },
  },

  "one writes in an item that the other deletes": {
    lines: ["one", "two", "  below", "three"],
    run: async (session) => {
      const { a, b, random } = session;
      const [item, deleted] = random.pick([
        ["two", "two"],
        ["below", "two"],
        ["below", "below"],
      ] as const);
      const byB = sentence(random, "b", 18);
      const writing = write(session, b, item, item.length, ` ${byB}`);
      await pause(random.integer(300, 2_799));
      await a.page.locator("[data-testid=row]", { hasText: deleted }).first().getByRole("textbox").focus();
      await a.press("Control+Shift+Backspace");
      await writing;
      const written = `${item} ${byB}`;
      const choice = random.pick(["Keep", "Discard"]);
      const button = b.page.getByRole("button", { name: choice, exact: true });
      await button.waitFor({ timeout: SETTLED.timeout });
      expect((await b.outline()).map((line) => line.trim())).toContain(written);
      await button.click();
      const expected = new Set(["one", "three"]);
      if (choice === "Keep" || deleted === "below") expected.add(item === "two" || choice === "Discard" ? "two" : written);
      if (choice === "Keep") for (const text of ["two", "below"]) expected.add(text === item ? written : text);
      if (choice === "Keep" && item === "two") expected.delete("two");
      await bothShow(session, (lines) => expect(lines.map((line) => line.trim()).sort()).toEqual([...expected].sort()));
    },
  },

  "both add items and put them elsewhere": {
    lines: ["one", "two", "three"],
    run: async (session) => {
      const { a, b, random } = session;
      const add = async (device: AppPage, mark: string, after: string): Promise<string[]> => {
        const texts = [sentence(random, mark, 7), sentence(random, mark, 8)];
        const keys = texts.map(() => random.pick(["Tab", "Alt+ArrowUp", "Alt+ArrowDown", "Shift+Tab"]));
        await device.edit(after);
        for (const [index, text] of texts.entries()) {
          await device.press("Enter");
          await typeLikeAPerson(session, device, text);
          await device.press(keys[index]!);
        }
        return texts;
      };
      const added = await Promise.all([add(a, "a", "one"), add(b, "b", "three")]);
      await bothShow(session, (lines) =>
        expect(lines.map((line) => line.trim()).sort()).toEqual(["one", "two", "three", ...added.flat()].sort()),
      );
    },
  },

  "one writes below what the other folds": {
    lines: ["one", "  two", "    three", "four"],
    run: async (session) => {
      const { a, b, random } = session;
      const byB = sentence(random, "b", 16);
      const writing = write(session, b, "three", 5, ` ${byB}`);
      await pause(random.integer(300, 2_299));
      await a.edit(random.pick(["one", "two"]));
      await a.press("Control+.");
      await writing;
      for (const device of [a, b]) {
        await device.page.evaluate(() => (location.hash = location.hash.split("/").slice(0, 2).join("/")));
        await expect.poll(() => device.outline(), SETTLED).toContain("four");
      }
      for (const folded of ["+ one", "  + two"]) {
        const line = (await a.outline()).find((each) => each === folded);
        if (line === undefined) continue;
        await a.edit(line.trim().slice(2));
        await a.press("Control+.");
      }
      await bothShow(session, (lines) => expect(lines).toEqual(["one", "  two", `    three ${byB}`, "four"]));
    },
  },

  "both write in the same item, and take it back": {
    lines: ["first", "some words", "last"],
    run: async (session) => {
      const { a, b } = session;
      const text = "some words";
      const [byA, byB] = await writeInBoth(session, text);
      await bothShow(session, (lines) => {
        expect([lines[0], lines[2], lines.length]).toEqual(["first", "last", 3]);
        hasOnly(lines[1]!, text, [byA, byB]);
      });
      await takeBack(a, byA);
      await bothShow(session, (lines) => {
        expect([lines[0], lines[2], lines.length]).toEqual(["first", "last", 3]);
        hasOnly(lines[1]!, text, [byB]);
      });
      await takeBack(b, byB);
      await bothShow(session, (lines) => {
        expect([lines[0], lines[2], lines.length]).toEqual(["first", "last", 3]);
        hasOnly(lines[1]!, text, []);
      });
    },
  },

  "one loads the page again while both write": {
    lines: ["first", "some words of both", "last"],
    run: async (session) => {
      const { a, b, random } = session;
      const text = "some words of both";
      const [before, after, byB] = [sentence(random, "a", 9), sentence(random, "c", 9), sentence(random, "b", 20)];
      const writing = write(session, b, text, 0, `${byB} `);
      await write(session, a, text, text.length, ` ${before}`, false);
      await a.page.reload();
      const field = a.page.locator("[data-testid=row]", { hasText: before }).getByRole("textbox");
      await field.focus();
      await a.press("End");
      await typeLikeAPerson(session, a, ` ${after}`);
      await a.page.keyboard.press("Escape");
      await writing;
      await bothShow(session, (lines) => hasOnly(lines[1]!, text, [before, after, byB]));
    },
  },
};

/** Words that no other text contains. @param mark the character with which these words, and no others, begin */
function sentence(random: Random, mark: string, length: number): string {
  const letters = "defghijklmnopqrstuvwxyz";
  let text = mark;
  while (text.length < length)
    text += random.next() < 0.2 && !text.endsWith(" ") ? ` ${mark}` : letters.charAt(random.integer(0, letters.length - 1));
  return text.trim();
}

/** Both type in one item, in the same place or in different ones. @returns the text that each has typed */
async function writeInBoth(session: TypingSession, text: string): Promise<[string, string]> {
  const { a, b, random } = session;
  const places = [0, text.indexOf(" "), text.length];
  const [byA, byB] = [sentence(random, "a", random.integer(14, 21)), sentence(random, "b", random.integer(14, 21))];
  const at = [random.pick(places), random.pick(places)] as const;
  const spaced = (words: string, place: number): string => (place === 0 ? `${words} ` : ` ${words}`);
  const [delayA, delayB] = [random.integer(0, 999), random.integer(0, 999)];
  await Promise.all([
    pause(delayA).then(() => write(session, a, text, at[0], spaced(byA, at[0]))),
    pause(delayB).then(() => write(session, b, text, at[1], spaced(byB, at[1]))),
  ]);
  return [byA, byB];
}

/** Puts the caret into the current text of an item, and types. @param isLeaving whether to leave the text afterwards */
async function write(
  session: TypingSession,
  device: AppPage,
  text: string,
  offset: number,
  typed: string,
  isLeaving = true,
): Promise<void> {
  const row = device.page.locator("[data-testid=row]", { hasText: text.split(" ")[0]! });
  const field = row.first().getByRole("textbox");
  await field.focus();
  // the other's text so far is before the place, or behind it
  await field.evaluate(
    (element, [words, at]) => {
      const shown = element.textContent ?? "";
      const start = shown.indexOf(words.slice(at)) >= 0 && at < words.length ? shown.indexOf(words.slice(at)) : undefined;
      const end = shown.indexOf(words.slice(0, at));
      getSelection()!.collapse(element.firstChild ?? element, start ?? (end < 0 ? shown.length : end + at));
    },
    [text, offset] as const,
  );
  await typeLikeAPerson(session, device, typed);
  if (isLeaving) await device.page.keyboard.press("Escape");
}

async function typeLikeAPerson({ random }: TypingSession, device: AppPage, text: string): Promise<void> {
  for (const character of text) {
    await pause(random.integer(FASTEST_MS, SLOWEST_MS - 1));
    await device.page.keyboard.press(character === " " ? "Space" : character);
  }
}

/** Undoes until all of these words are gone, or until an undo does not change the text any more. */
async function takeBack(device: AppPage, words: string): Promise<void> {
  const field = device.page.locator("[data-testid=row]", { hasText: "some" }).getByRole("textbox");
  await field.focus();
  for (let before = ""; ;) {
    const text = (await field.textContent()) ?? "";
    if (!text.includes(words.charAt(0)) || text === before) break;
    before = text;
    await device.press("Control+z");
  }
  await device.page.keyboard.press("Escape");
}

/** Waits until both devices show the same correct state. */
async function bothShow({ a, b }: TypingSession, check: (lines: readonly string[]) => void): Promise<void> {
  const end = Date.now() + SETTLED.timeout;
  for (;;) {
    const [onA, onB] = [await a.outline(), await b.outline()];
    try {
      expect(onA).toEqual(onB);
      check(onA);
      return;
    } catch (error) {
      if (Date.now() > end)
        throw new Error(`${onA.join("\n")}\n-- and --\n${onB.join("\n")}\n${String(error)}`, { cause: error });
    }
    await pause(SETTLED.interval);
  }
}

/** Checks that the text contains the original and the typed text, each in one piece, and nothing else except spaces. */
function hasOnly(text: string, base: string, written: readonly string[]): void {
  let rest = text;
  for (const words of written) {
    expect(rest).toContain(words);
    rest = rest.replace(words, " ");
  }
  expect(rest.split(" ").filter(Boolean).join(" ")).toBe(base);
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
