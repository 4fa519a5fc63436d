/** Accents of Latin, Greek and Cyrillic letters. Vowel signs of other scripts do not count as accents. */
const ACCENTS = /[\u0300-\u036f]/g;
const ASCII = /^[\0-\x7f]*$/;

/** A text in the form for comparisons: without case and accents. */
export function normalize(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let normalized = "";
  for (const character of text) normalized += normalizeCharacter(character);
  return normalized;
}

/** @returns also, for each character of the normalized text and for its end, the offset in the original text */
export function normalizeWithOffsets(text: string): { readonly normalized: string; readonly offsets: readonly number[] } {
  let normalized = "";
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    const part = normalizeCharacter(character);
    for (let index = 0; index < part.length; index++) offsets.push(at);
    normalized += part;
    at += character.length;
  }
  offsets.push(at);
  return { normalized, offsets };
}

/** Character by character, so that a text and its parts give equal results: in words, a last sigma has its own lower case. */
function normalizeCharacter(character: string): string {
  if (character === "ς") return "σ";
  return character.toLowerCase().normalize("NFD").replaceAll(ACCENTS, "");
}
