import * as caretDom from "./caret-dom.ts";

/** The elements of a row: the row itself, and its text. */
export interface RowElement {
  readonly row: HTMLElement;
  readonly text: HTMLElement;
}

/** The part of a row with the focus. */
export interface RowFocus {
  readonly id: string;
  readonly part: "row" | "text";
  readonly selected: caretDom.TextSelection | undefined;
}

/** The mounted rows: the visible ones and some around them. */
export class RowElements {
  readonly #elements = new Map<string, RowElement>();

  /** @returns a function that removes it */
  register(id: string, row: HTMLElement, text: HTMLElement): () => void {
    const element = { row, text };
    this.#elements.set(id, element);
    return () => {
      if (this.#elements.get(id) === element) this.#elements.delete(id);
    };
  }

  get(id: string): RowElement | undefined {
    return this.#elements.get(id);
  }

  /** @returns `undefined` if the row does not have the focus */
  focusIn(id: string): RowFocus | undefined {
    const element = this.#elements.get(id);
    const focused = document.activeElement;
    if (!element || (focused !== element.text && focused !== element.row)) return undefined;
    return { id, part: focused === element.text ? "text" : "row", selected: caretDom.selectionIn(element.text) };
  }

  /** Restores the focus. @returns whether the row still exists */
  giveBack({ id, part, selected }: RowFocus): boolean {
    const element = this.#elements.get(id);
    element?.[part].focus({ preventScroll: true });
    if (element && part === "text" && selected) caretDom.select(element.text, selected.start, selected.end);
    return element !== undefined;
  }
}
