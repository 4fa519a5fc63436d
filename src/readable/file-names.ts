/** The title and the id of a page, for the name of its file. */
export interface NamedPage {
  readonly id: string;
  readonly title: string;
}

export const EXTENSION = ".md";
const UNTITLED = "Untitled";
/** In UTF-8 bytes, so that the name with what is added to it fits everywhere: some file systems allow 143. */
const MAX_BYTES = 100;
const ID_LENGTH = 8;

/** Control characters, line and paragraph separators, halves of characters, and what changes the direction of a text unseen. */
const INVISIBLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
/** What Windows does not allow in names; most of it also has a meaning to a shell. */
const FORBIDDEN = /[<>:"/\\|?*]/g;
/** Hidden files, options of commands, backup copies; Windows drops blanks and dots at the end. */
const EDGES = /^[\s.~-]+|[\s.]+$/g;
/** Devices of Windows, with whatever ending. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=$|\.| )/i;

/** A title as a name that every system takes for a file, without its extension. */
export function safeName(title: string): string {
  const plain = title.normalize("NFC").replaceAll(INVISIBLE, " ").replaceAll(FORBIDDEN, "-").replaceAll(/\s+/g, " ");
  const name = cut(plain.replaceAll(EDGES, ""), MAX_BYTES).replaceAll(EDGES, "");
  if (name === "") return UNTITLED;
  return DEVICE.test(name) ? `_${name}` : name;
}

/** Names with one key are one file on some system: systems ignore case, or how accents are written, each in its own way. */
export function nameKey(name: string): string {
  return name.normalize("NFKD").toUpperCase().normalize("NFKD");
}

/**
 * Gives each page a file name of its own: its title, or its title with a part of its id. A page keeps the name that it has
 * as long as that fits its title, so that links to it go on.
 * @param present file name of each page up to now
 * @param taken keys of names that are not to be given
 */
export function nameFiles(
  pages: readonly NamedPage[],
  present: ReadonlyMap<string, string> = new Map(),
  taken: ReadonlySet<string> = new Set(),
): Map<string, string> {
  const used = new Set(taken);
  const names = new Map<string, string>();
  const give = (id: string, name: string | undefined): void => {
    if (name === undefined || names.has(id) || used.has(nameKey(name))) return;
    used.add(nameKey(name));
    names.set(id, name);
  };
  for (const page of pages)
    give(
      page.id,
      candidates(page).find((name) => name === present.get(page.id)),
    );
  // an order that does not change, also between devices
  for (const page of pages.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const name of candidates(page)) give(page.id, name);
    for (let n = 2; !names.has(page.id); n++) give(page.id, `${safeName(page.title)} (${idPart(page.id)} ${n})${EXTENSION}`);
  }
  return names;
}

function candidates({ id, title }: NamedPage): string[] {
  const name = safeName(title);
  return [`${name}${EXTENSION}`, `${name} (${idPart(id)})${EXTENSION}`];
}

function idPart(id: string): string {
  return id.replaceAll(/[^0-9A-Za-z]/g, "").slice(0, ID_LENGTH) || "page";
}

/** Not in the middle of a character. */
function cut(text: string, maxBytes: number): string {
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(maxBytes)).read);
}
