import { completeLink, isLinkable, linkQueryAt, type LinkQuery } from "../../model/link-query.ts";
import { searchTitles } from "../../model/search.ts";
import * as caretDom from "./caret-dom.ts";

const LIMIT = 7;

interface Begun extends LinkQuery {
  readonly itemId: string;
  readonly element: HTMLElement;
  /** Position of the caret, in pixels. */
  readonly caret: DOMRect;
}

export interface LinkCompletionOptions {
  readonly pages: () => readonly { readonly treeId: string; readonly title: string }[];
  /** Called after a text has been completed in its element. */
  readonly onCompleted: (itemId: string, element: HTMLElement) => void;
}

/** The titles that complete a link to a page while it is being typed. */
export class LinkCompletion {
  readonly #options: LinkCompletionOptions;
  #begun: Begun | undefined = $state.raw();
  active: number = $state(0);
  readonly titles: readonly string[] = $derived.by(() => {
    if (!this.#begun) return [];
    const titles = this.#options.pages().filter(({ title }) => isLinkable(title));
    return [...new Set(searchTitles(titles, this.#begun.query, LIMIT).map(({ text }) => text.trim()))];
  });

  constructor(options: LinkCompletionOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.titles.length > 0;
  }

  get caret(): DOMRect | undefined {
    return this.#begun?.caret;
  }

  /** Checks after each change of a text whether a link is being typed. */
  look(itemId: string, element: HTMLElement): void {
    // most texts have no link, and reading the selection is slow
    const text = element.textContent ?? "";
    const selected = text.includes("[[") ? caretDom.selectionIn(element) : undefined;
    const found = selected && selected.start === selected.end ? linkQueryAt(text, selected.end) : undefined;
    if (found?.query !== this.#begun?.query) this.active = 0;
    this.#begun = found && { ...found, itemId, element, caret: caretDom.caretRect(element) };
    this.#describe(element);
  }

  close(): void {
    const element = this.#begun?.element;
    this.#begun = undefined;
    if (element) this.#describe(element);
  }

  /** @returns whether the key was handled */
  onKey({ key, ctrlKey, metaKey, altKey, shiftKey, isComposing }: KeyboardEvent): boolean {
    if (!this.isOpen || isComposing) return false;
    const isPlain = !ctrlKey && !metaKey && !altKey && !shiftKey;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (isPlain && step !== undefined) {
      this.active = (this.active + step + this.titles.length) % this.titles.length;
      this.#describe(this.#begun!.element);
      return true;
    }
    if (isPlain && (key === "Enter" || key === "Tab")) {
      this.choose(this.active);
      return true;
    }
    if (key === "Shift" || key === "Backspace" || key.length === 1) return false;
    this.close();
    return key === "Escape";
  }

  choose(index: number): void {
    const title = this.titles[index];
    if (title === undefined || !this.#begun) return;
    const { itemId, element, from, query } = this.#begun;
    const { text, offset } = completeLink(caretDom.textOf(element), from + 2 + query.length, this.#begun, title);
    this.close();
    caretDom.showText(element, text);
    caretDom.select(element, offset);
    this.#options.onCompleted(itemId, element);
  }

  /** Sets the text's ARIA attributes for the chosen title. */
  #describe(element: HTMLElement): void {
    for (const [name, value] of [
      ["aria-autocomplete", "list"],
      ["aria-controls", "link-completion"],
      ["aria-activedescendant", `link-completion-${this.active}`],
    ] as const) {
      if (this.isOpen) element.setAttribute(name, value);
      else if (element.hasAttribute(name)) element.removeAttribute(name);
    }
  }
}
