import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasNotation, linkAtOffset, parseInline, type InlinePart } from "./inline.ts";

const TAGS = { bold: "b", italic: "i", strike: "s", code: "c" } as const;

/** Parts as `<b>text</b>`, links as `<kind target>text</>`; notation in braces. */
function drawn(text: string): string {
  const draw = ({ text: part, isMark, styles, link }: InlinePart): string => {
    if (isMark) return `{${part}}`;
    const styled = styles.reduceRight<string>((inner, style) => `<${TAGS[style]}>${inner}</${TAGS[style]}>`, part);
    return link ? `<${link.kind} ${link.target}>${styled}</>` : styled;
  };
  return parseInline(text).map(draw).join("");
}

test.each([
  ["a **bold** word", "a {**}<b>bold</b>{**} word"],
  ["__bold__ and *italic* and _italic_", "{__}<b>bold</b>{__} and {*}<i>italic</i>{*} and {_}<i>italic</i>{_}"],
  ["~~gone~~ `co*de*`", "{~~}<s>gone</s>{~~} {`}<c>co*de*</c>{`}"],
  ["**bold *both* bold**", "{**}<b>bold </b>{*}<b><i>both</i></b>{*}<b> bold</b>{**}"],
  ["***both***", "{**}{*}<b><i>both</i></b>{*}{**}"],
  ["snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"],
  ["**open and *open", "**open and *open"],
  ["** no ** and **no **", "** no ** and **no **"],
  ["\\*no\\* C:\\dir", "{\\}*no{\\}* C:\\dir"],
  ["`a ``b`` c`", "{`}<c>a ``b`` c</c>{`}"],
  ["`open", "`open"],
])("%s is shown as %s", (text, expected) => {
  expect(drawn(text)).toBe(expected);
});

test.each([
  [
    "see [the **site**](https://a.b/c_(d)).",
    "see {[}<address https://a.b/c_(d)>the </>{**}<address https://a.b/c_(d)><b>site</b></>{**}{](https://a.b/c_(d))}.",
  ],
  [
    "see https://a.b/c?d=e_f_g, or (http://x.y).",
    "see <address https://a.b/c?d=e_f_g>https://a.b/c?d=e_f_g</>, or (<address http://x.y>http://x.y</>).",
  ],
  ["[bad](javascript:alert(1)) [none]() [x] xhttp://a", "[bad](javascript:alert(1)) [none]() [x] xhttp://a"],
  ["as in [[My page]], [[]] and [[ a [b] ]]", "as in {[[}<page My page>My page</>{]]}, [[]] and [[ a [b] ]]"],
  ["#todo (#späte/r) a#b #1 ## #x-1", "<tag #todo>#todo</> (<tag #späte/r>#späte/r</>) a#b #1 ## <tag #x-1>#x-1</>"],
  ["**see [[Page]] #tag**", "{**}<b>see </b>{[[}<page Page><b>Page</b></>{]]}<b> </b><tag #tag><b>#tag</b></>{**}"],
])("%s has the links %s", (text, expected) => {
  expect(drawn(text)).toBe(expected);
});

test("the link at a caret is found, or the only one", () => {
  const text = "see [[One]] and #two";
  expect([5, 9, 20].map((offset) => linkAtOffset(text, offset)?.target)).toEqual(["One", "One", "#two"]);
  expect([linkAtOffset(text, 0), linkAtOffset("none", 0)]).toEqual([undefined, undefined]);
  expect(linkAtOffset("a #two", 0)?.target).toBe("#two");
});

test("the parts of any text are that text", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "**",
      "*",
      "_",
      "__",
      "~~",
      "`",
      "``",
      "[",
      "]",
      "[[",
      "]]",
      "](",
      ")",
      "https://a",
      "#a",
      "\\",
      " ",
      "a",
      "é",
      "😀",
    ),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const text = pieces.join("");
      const parts = parseInline(text);
      expect(parts.map((part) => part.text).join("")).toBe(text);
      if (!hasNotation(text)) expect(parts.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 3_000 },
  );
});

test("a hostile text is read in time that grows with its length", () => {
  const start = parseInline("x".repeat(10));
  expect(start.length).toBe(1);
  for (const piece of ["*a ", "**a ", "_a ", "`a", "``a `", "[a](", "[[a", "[", "~~", "\\", "#", "https://", "*_`"])
    expect(parseInline(piece.repeat(20_000)).length).toBeGreaterThan(0);
});
