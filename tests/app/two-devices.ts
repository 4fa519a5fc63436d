import { expect, test } from "vitest";
import { SOON, type AppPage } from "./app-page.ts";

const ROUNDS = 20;

/** Opens the same page, with these items, on two connected devices. */
export type OpenTwice = (lines: readonly string[]) => Promise<readonly [AppPage, AppPage]>;

/** Tests for two devices that are connected in any way. */
export function testTwoDevices(openTwice: OpenTwice): void {
  test("what is typed on one shows on the other", async ({ task }) => {
    const [a, b] = await openTwice(["a line"]);
    await a.edit("a line");
    const delays: number[] = [];
    let text = "a line";
    for (let round = 0; round < ROUNDS; round++) {
      const key = String(round % 10);
      const seen = b.untilSeen((text += key));
      const start = performance.now();
      await a.press(key);
      await seen;
      delays.push(performance.now() - start);
    }
    delays.sort((one, other) => one - other);
    const [median, worst] = [delays[ROUNDS / 2]!, delays.at(-1)!];
    console.log(`${task.suite?.name}: seen after ${median.toFixed(0)} ms in the median, ${worst.toFixed(0)} ms at worst`);
  });

  test("both may edit different items at the same time", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    await a.edit("one");
    await b.edit("three");
    await Promise.all([typeSteadily(a, " from a"), typeSteadily(b, " from b")]);
    await Promise.all([a.press("Enter"), b.press("Enter")]);
    await Promise.all([typeSteadily(a, "new from a"), typeSteadily(b, "new from b")]);
    const all = ["one from a", "new from a", "two", "three from b", "new from b"];
    for (const device of [a, b]) await device.shows(all);
  });

  test("of one item that both edit at the same time, both texts stand", async () => {
    const [a, b] = await openTwice(["text"]);
    await a.edit("text", 0);
    await b.edit("text");
    await Promise.all([a.type("A "), b.type(" B")]);
    for (const device of [a, b]) await device.shows(["A text B"]);
  });

  test("the title that both edit at the same time has what both wrote", async () => {
    const [a, b] = await openTwice(["text"]);
    await a.title.click();
    await a.press("Home");
    await b.title.click();
    await b.press("End");
    await Promise.all([a.type("A "), b.type(" B")]);
    for (const device of [a, b]) await expect.poll(() => device.title.inputValue(), SOON).toBe("A Page B");
    await a.type("good ");
    for (const device of [a, b]) await expect.poll(() => device.title.inputValue(), SOON).toBe("A good Page B");
  });

  test("a caret stays where it is while the other device works around it", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    await b.edit("two", 1);
    await a.edit("one");
    await a.press("Enter");
    await a.type("and a half");
    await b.shows(["one", "and a half", "two", "three"]);
    expect(await b.caret()).toEqual({ text: "two", offset: 1 });
    await a.edit("two", 0);
    await a.type("in front of ");
    await b.shows(["one", "and a half", "in front of two", "three"]);
    expect(await b.caret()).toEqual({ text: "in front of two", offset: 13 });
    await a.press("Alt+ArrowUp", "Alt+ArrowUp");
    await b.shows(["in front of two", "one", "and a half", "three"]);
    expect(await b.caret()).toEqual({ text: "in front of two", offset: 13 });
    await b.type("-");
    await a.shows(["in front of t-wo", "one", "and a half", "three"]);
  });

  test("undo takes back what was done here, and nothing of the other device", async () => {
    const [a, b] = await openTwice(["one", "two"]);
    await a.edit("one");
    await a.type(" from a");
    await b.shows(["one from a", "two"]);
    await b.edit("two");
    await b.type(" from b");
    await b.press("Enter");
    await b.type("new from b");
    await a.shows(["one from a", "two from b", "new from b"]);
    await a.press("Control+z");
    const undone = ["one", "two from b", "new from b"];
    for (const device of [a, b]) await device.shows(undone);
    await a.press("Control+Shift+z");
    await b.shows(["one from a", "two from b", "new from b"]);
    await b.press("Control+z", "Control+z", "Control+z");
    for (const device of [a, b]) await device.shows(["one from a", "two"]);
  });
}

/** Types with pauses, so that the other device receives parts of it in between. */
async function typeSteadily(device: AppPage, text: string): Promise<void> {
  await device.page.keyboard.type(text, { delay: 60 });
}
