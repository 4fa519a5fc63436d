/** Accents of Latin, Greek and Cyrillic letters; the vowel signs of other scripts are no accents. */
const ACCENTS = /[\u0300-\u036f]/g;
const ASCII = /^[\0-\x7f]*$/;

/** A text as it is compared: without case and accents. */
export function normalize(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let normalized = "";
  for (const character of text) normalized += normalizeCharacter(character);
  return normalized;
}

/** @returns also the offset in the text that each character of the normalized one comes from, and that of the end */
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

/** Character by character, so that the whole and its parts come out alike: in words, a last sigma has a lower case of its own. */
function normalizeCharacter(character: string): string {
  if (character === "ς") return "σ";
  return character.toLowerCase().normalize("NFD").replaceAll(ACCENTS, "");
}
