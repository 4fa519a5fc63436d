/** Whether two texts are the same, however their letters are composed: macOS and some keyboards write é as e and an accent. */
export function isComposedAlike(a: string, b: string): boolean {
  return a.normalize("NFC") === b.normalize("NFC");
}
