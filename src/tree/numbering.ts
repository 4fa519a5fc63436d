/** Numbers texts, such as ids, from 1 on, in the order in which they become known. */
export class Numbering {
  readonly #numbers = new Map<string, number>();
  #texts: string[] = [];
  #lastText: string | undefined;
  #lastNumber = 0;

  /** The number of a text, which is given one if it has none. */
  numberOf(text: string): number {
    // operations on one vertex, or of one peer, mostly follow one another
    if (text === this.#lastText) return this.#lastNumber;
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#texts.push(text)));
    this.#lastText = text;
    this.#lastNumber = number;
    return number;
  }

  /** The number of a text that has one; otherwise 0. */
  find(text: string): number {
    return this.#numbers.get(text) ?? 0;
  }

  textOf(number: number): string {
    return this.#texts[number - 1]!;
  }

  /** All texts, in the order of their numbers, for {@link fill}. The caller must not change the list. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** @param texts of an empty numbering from then on */
  fill(texts: string[]): void {
    this.#texts = texts;
    for (let index = 0; index < texts.length; index++) this.#numbers.set(texts[index]!, index + 1);
  }

  /** Orders two numbers by their texts, in code units. */
  compare(one: number, other: number): number {
    if (one === other) return 0;
    return this.textOf(one) < this.textOf(other) ? -1 : 1;
  }
}
