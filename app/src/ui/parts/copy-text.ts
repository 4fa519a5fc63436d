import { FoldspaceError } from "foldspace";

/**
 * Copies a text to the clipboard. Call it while handling a click.
 * @throws DOMException if the user does not permit it
 * @throws FoldspaceError `FOLD_UNAVAILABLE` if the browser cannot do it here
 */
export async function copyText(text: string): Promise<void> {
  // browsers give it only to pages loaded over https or from this computer
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) await clipboard.writeText(text);
  else copyByCommand(text);
}

/** The way of before there was `navigator.clipboard`, which pages over plain http have, too. */
function copyByCommand(text: string): void {
  let isCopied = false;
  const fill = (event: ClipboardEvent): void => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    // the outline would put its selected rows there
    event.stopImmediatePropagation();
    isCopied = true;
  };
  addEventListener("copy", fill, { capture: true });
  try {
    document.execCommand("copy");
  } finally {
    removeEventListener("copy", fill, { capture: true });
  }
  if (!isCopied)
    throw new FoldspaceError("FOLD_UNAVAILABLE", "This browser lets only pages loaded over https or from this computer copy");
}
