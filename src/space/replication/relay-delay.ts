/**
 * Time that an instance waits before it relays, in milliseconds: the grace period, and up to a third more, which depends on the
 * peer id. If several instances learn the same operations at once, one relays first, and the others see its writes.
 */
export function relayDelay(graceMs: number, peerId: string): number {
  let hash = 0x811c9dc5;
  // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/)
  for (let index = 0; index < peerId.length; index++) hash = Math.imul(hash ^ peerId.charCodeAt(index), 0x01000193) >>> 0;
  return graceMs + Math.round((graceMs / 3) * (hash / 2 ** 32));
}
