/** Accents of Latin, Greek and Cyrillic letters. Vowel signs of other scripts do not count as accents. */
const ACCENTS = /[\u0300-\u036f]/g;
/** Letters that Unicode does not take apart, as those spell them who do not have them on their keyboards. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
};
const ASCII = /^[\0-\x7f]*$/;

/** A text in the form for comparisons: without case and accents. */
export function normalize(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let normalized = "";
  for (const character of text) normalized += normalizeCharacter(character);
  return normalized;
}

/** The form for searches: as {@link normalize}, and with letters such as ß as they are spelled without them. */
export function toSearchable(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : toSearchableWithOffsets(text).searchable;
}

/** @returns also, for each character of that form and for its end, the offset in the original text */
export function toSearchableWithOffsets(text: string): { readonly searchable: string; readonly offsets: readonly number[] } {
  let searchable = "";
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    const letter = normalizeCharacter(character);
    const part = SPELLINGS[letter] ?? letter;
    for (let index = 0; index < part.length; index++) offsets.push(at);
    searchable += part;
    at += character.length;
  }
  offsets.push(at);
  return { searchable, offsets };
}

/** Character by character, so that a text and its parts give equal results: in words, a last sigma has its own lower case. */
function normalizeCharacter(character: string): string {
  if (character === "ς") return "σ";
  return character.toLowerCase().normalize("NFD").replaceAll(ACCENTS, "");
}
