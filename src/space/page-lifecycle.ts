/** A space's reactions when its page is hidden or shown. */
export interface PageReactions {
  /** The page may be gone in a moment: save. */
  readonly onHide: () => void;
  /** The page is visible again, or the network is back: change notifications may have been missed. */
  readonly onShow: () => void;
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/**
 * Watches the page, if the platform has one.
 * @returns a function that ends it
 */
export function observePage(reactions: PageReactions): () => void {
  const { document, window } = globalThis as {
    document?: EventSource & { readonly visibilityState: string };
    window?: EventSource;
  };
  if (!document || !window) return () => undefined;
  const onVisibility = (): void => (document.visibilityState === "hidden" ? reactions.onHide() : reactions.onShow());
  const listeners: [EventSource, string, () => void][] = [
    // the last event that every browser sends, also on phones
    [document, "visibilitychange", onVisibility],
    [window, "pagehide", reactions.onHide],
    // WebKitGTK drops writes to IndexedDB that begin later than here
    [window, "beforeunload", reactions.onHide],
    [window, "focus", reactions.onShow],
    [window, "online", reactions.onShow],
  ];
  for (const [source, type, listener] of listeners) source.addEventListener(type, listener);
  return () => {
    for (const [source, type, listener] of listeners) source.removeEventListener(type, listener);
  };
}
