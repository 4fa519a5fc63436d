import { copyText } from "../parts/copy-text.ts";
import { addressOf, readAddress, type Address } from "./address.ts";
import { attempt, notices } from "./notices.svelte.ts";

/** Copies a link to a page, or to an item in it. */
export function copyLink(treeId: string, itemId?: string): void {
  void attempt("The link could not be copied.", async () => {
    await copyText(location.origin + location.pathname + addressOf(treeId, itemId));
    notices.inform(itemId === undefined ? "Link to the page copied." : "Link to the item copied.");
  });
}

/** The target of a link that {@link copyLink} made, also on another device: ids are the same everywhere. */
export function addressIn(url: string): Address {
  const at = url.indexOf("#/");
  return at < 0 ? {} : readAddress(url.slice(at));
}
