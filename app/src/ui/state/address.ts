/** The shown page and item, as the fragment of the page's address has them, so that Back and Forward work. */
export interface Address {
  readonly pageId?: string;
  /** Item that is zoomed into. */
  readonly itemId?: string;
}

export function readAddress(hash: string = location.hash): Address {
  const [pageId, itemId] = hash.replace(/^#\/?/, "").split("/").map(decode);
  return { ...(pageId ? { pageId } : {}), ...(itemId ? { itemId } : {}) };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // malformed percent signs, which this app never writes
    return undefined;
  }
}

export function addressOf(pageId: string, itemId?: string): string {
  return `#/${encodeURIComponent(pageId)}${itemId === undefined ? "" : `/${encodeURIComponent(itemId)}`}`;
}
