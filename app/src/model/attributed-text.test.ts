import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AttributedText } from "./attributed-text.ts";

describe("AttributedText", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "😀", "😁"), maxLength: 8 });

  test("is the text that it was given last", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.boolean(), fc.nat({ max: 8 }))), (states) => {
        const attributed = new AttributedText("a b");
        for (const [state, isOwn, caret] of states) {
          if (isOwn) attributed.edit(state, caret);
          else attributed.follow(state);
          expect(attributed.text).toBe(state);
        }
      }),
    );
  });

  test("is what it was when all edits are taken back, and what it became when that is taken back in turn", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (states) => {
        const attributed = new AttributedText("a b");
        const edits = states.map((state) => attributed.edit(state));
        const { text: reverted, edit } = attributed.without(edits);
        expect(reverted.text).toBe("a b");
        expect(reverted.without([edit]).text.text).toBe(states.at(-1));
      }),
    );
  });

  test("takes back an edit among those that came later", () => {
    const attributed = new AttributedText("one");
    const first = attributed.edit("one two");
    attributed.edit("one two three");
    attributed.follow("zero one two 3 three");
    expect(attributed.without([first]).text.text).toBe("zero one 3 three");
  });

  test("brings back what was taken away where it was, and lets stay what others have put in its place", () => {
    const attributed = new AttributedText("one two three");
    const removal = attributed.edit("one three");
    const replacement = attributed.edit("one 3");
    attributed.follow("one III");
    expect(attributed.without([removal]).text.text).toBe("one two III");
    expect(attributed.without([replacement]).text.text).toBe("one III");
  });

  test("knows by the caret which of equal characters were written", () => {
    const attributed = new AttributedText("a b");
    const edit = attributed.edit("a x b", 3);
    attributed.follow("a b x b");
    expect(attributed.without([edit]).text.text).toBe("a b b");
    attributed.edit("a b  x b", 4);
    attributed.follow("a b ! x b");
    expect(attributed.text).toBe("a b ! x b");
  });

  test("keeps together what was written here one after the other", () => {
    const attributed = new AttributedText("words");
    const edits = [attributed.edit("words ", 6), attributed.edit("words bs", 8)];
    attributed.follow("words as bs");
    expect(attributed.without(edits).text.text).toBe("words as");
  });

  test("knows whose blank comes first where both have written", () => {
    const attributed = new AttributedText("words");
    const edits = [attributed.edit("words ", 6)];
    attributed.follow("words  as ");
    edits.push(attributed.edit("words bs as ", 8));
    expect(attributed.without(edits).text.text).toBe("words as ");
  });

  test("leaves a blank to what is written next", () => {
    const attributed = new AttributedText("some words");
    const edits = [attributed.edit("some  words", 5)];
    attributed.follow("some a  words", false);
    edits.push(attributed.edit("some a b words", 8));
    expect(attributed.without(edits).text.text).toBe("some a words");
  });

  test("knows what was written here when words around it go on both sides", () => {
    const attributed = new AttributedText("some bi words");
    const edit = attributed.edit("some ai  bi words", 8);
    attributed.follow("someai  words");
    expect(attributed.without([edit]).text.text.replaceAll(" ", "")).toBe("somewords");
  });
});
