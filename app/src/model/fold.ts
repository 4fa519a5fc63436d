/** Accents of Latin, Greek and Cyrillic letters; the vowel signs of other scripts are no accents. */
const ACCENTS = /[\u0300-\u036f]/g;
const ASCII = /^[\0-\x7f]*$/;

/** A text as it is compared: without case and accents. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = "";
  for (const character of text) folded += foldCharacter(character);
  return folded;
}

/** @returns also the offset in the text that each character of the folded one comes from, and that of the end */
export function foldWithOffsets(text: string): { readonly folded: string; readonly offsets: readonly number[] } {
  let folded = "";
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    const part = foldCharacter(character);
    for (let index = 0; index < part.length; index++) offsets.push(at);
    folded += part;
    at += character.length;
  }
  offsets.push(at);
  return { folded, offsets };
}

/** Character by character, so that the whole and its parts come out alike: in words, a last sigma has a lower case of its own. */
function foldCharacter(character: string): string {
  if (character === "ς") return "σ";
  return character.toLowerCase().normalize("NFD").replaceAll(ACCENTS, "");
}
