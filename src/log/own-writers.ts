import { randomId } from "../random-id.ts";

/** Digits of a peer's id that the ids of its own writers contain. */
const SHARED = 16;
const ID = /^[0-9a-f]{32}$/;

/** A new writer id that shows whose it is. Of a peer id in another form, it is any new id. */
export function newWriterOf(peerId: string): string {
  return ID.test(peerId) ? peerId.slice(0, SHARED) + randomId().slice(SHARED) : randomId();
}

/** The id with its first digits at its end: 8, 16 or 24 of them. */
export function turnedBy(id: string, digits: number): string {
  return `${id.slice(digits)}${id.slice(0, digits)}`;
}

/** Whether only instances of this peer write under a writer id: their peer id, one of {@link newWriterOf}, or one of these turned. */
export function isWriterOf(peerId: string, writerId: string): boolean {
  if (writerId === peerId) return true;
  if (!ID.test(peerId) || !ID.test(writerId)) return false;
  return [0, 8, 16, 24].some((digits) => turnedBy(writerId, digits).startsWith(peerId.slice(0, SHARED)));
}
