/**
 * A time from 0 to `spreadMs` milliseconds that depends on the peer id: instances that learn the same at once do not act at once,
 * and the first to act spares the others the work.
 */
export function staggered(spreadMs: number, peerId: string): number {
  let hash = 0x811c9dc5;
  // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/)
  for (let index = 0; index < peerId.length; index++) hash = Math.imul(hash ^ peerId.charCodeAt(index), 0x01000193) >>> 0;
  return Math.round(spreadMs * (hash / 2 ** 32));
}
