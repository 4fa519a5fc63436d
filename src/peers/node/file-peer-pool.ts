import { createHash } from "node:crypto";
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, FoldspaceError, isFoldspaceError, systemCode } from "../../errors.ts";
import { randomId } from "../../random-id.ts";
import { makeStateFolder } from "./state-folder.ts";
import type { PeerLease, PeerPool } from "../peer-pool.ts";
import { createRecord, readRecord, updateRecord, type RecordSubject } from "./peer-record.ts";
import { isRunning, machineName, newOwner } from "./process-identity.ts";

/** In the place of an owner. */
const FREE = "free";
/** Peers of a space that are kept. Only so many instances at once need more. */
const MAX_PEERS = 64;

/** How long the peers of a space that no program opens are kept, in milliseconds: half a year. */
const KEPT_MS = 182 * 86_400_000;

interface Entry {
  readonly name: string;
  readonly peerId: string;
  readonly owner: string;
}

/**
 * Keeps peers in files: `peers/MACHINE/SPACE/PEER.OWNER` in a folder of the user's own, with the highest counter that may have been
 * used as their contents.
 *
 * To take a peer is to rename its file from `PEER.free`, or from the name of an owner whose process has ended, to a name that never
 * was and never will be another owner's. Of several processes that do so at once, one succeeds. So no file needs tidying after a
 * process that was killed, and no lock can be broken by two.
 *
 * Another machine with the same files (a network folder, a copied home folder) has a folder of its own. A file that was restored or
 * copied is deleted.
 */
export class FilePeerPool implements PeerPool {
  readonly #folder: string;

  /** @param folder for state of this program; made when needed */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws FoldspaceError `FOLD_PERMISSION` if the folder cannot be used; `FOLD_IN_USE` if all peers are taken and no more are kept */
  async lease(spaceId: string): Promise<PeerLease> {
    const space = createHash("sha256").update(spaceId).digest("hex").slice(0, 32);
    const folder = join(this.#folder, "peers", machineName(), space);
    try {
      makeStateFolder(folder);
      const entries = list(folder);
      for (const entry of entries) {
        const lease = take(folder, entry, spaceId);
        if (lease) return lease;
      }
      if (entries.length >= MAX_PEERS)
        throw new FoldspaceError("FOLD_IN_USE", `All ${MAX_PEERS} peers of this device in space ${spaceId} are in use`);
      removeUnused(join(folder, ".."));
      const [peerId, owner] = [randomId(), newOwner()];
      createRecord(join(folder, `${peerId}.${owner}`), { spaceId, peerId });
      return new FilePeerLease(folder, owner, { spaceId, peerId }, 0);
    } catch (error) {
      throw toPoolError(error, folder);
    }
  }
}

class FilePeerLease implements PeerLease {
  readonly peerId: string;
  readonly usedUpTo: number;
  reservedUpTo: number;
  readonly reservesAtOnce = true;
  readonly isHeld = true;
  readonly #folder: string;
  readonly #path: string;
  readonly #subject: RecordSubject;
  #isEnded = false;

  constructor(folder: string, owner: string, subject: RecordSubject, usedUpTo: number) {
    this.peerId = subject.peerId;
    this.usedUpTo = usedUpTo;
    this.reservedUpTo = usedUpTo;
    this.#folder = folder;
    this.#path = join(folder, `${subject.peerId}.${owner}`);
    this.#subject = subject;
  }

  async reserve(counter: number): Promise<void> {
    if (this.#isEnded) throw new FoldspaceError("FOLD_CLOSED", `Peer ${this.peerId} is not leased any more`);
    if (counter <= this.reservedUpTo) return;
    this.#attempt(() => updateRecord(this.#path, this.#subject, counter, true));
    this.reservedUpTo = counter;
  }

  async release(usedUpTo: number): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#attempt(() => {
      // if the disk loses this, the counters that were reserved count as used
      if (usedUpTo < this.reservedUpTo) updateRecord(this.#path, this.#subject, usedUpTo, false);
      renameSync(this.#path, join(this.#folder, `${this.peerId}.${FREE}`));
    });
  }

  async retire(): Promise<void> {
    this.#isEnded = true;
    this.#attempt(() => rmSync(this.#path, { force: true }));
  }

  #attempt(change: () => void): void {
    try {
      change();
    } catch (error) {
      throw toPoolError(error, this.#folder);
    }
  }
}

/** The peers of a folder, those that were used last first: a day's file of such a peer is there already. */
function list(folder: string): Entry[] {
  const entries: (Entry & { readonly usedAt: number })[] = [];
  for (const name of readdirSync(folder)) {
    const [, peerId, owner] = /^([0-9a-f]{32})\.([0-9a-z-]+)$/.exec(name) ?? [];
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (peerId !== undefined && owner !== undefined && stat) entries.push({ name, peerId, owner, usedAt: stat.mtimeMs });
  }
  return entries.sort((a, b) => b.usedAt - a.usedAt);
}

/** Forgets spaces that were not opened for long. If one is opened again, it gets new peers. */
function removeUnused(machine: string): void {
  for (const space of readdirSync(machine)) {
    const path = join(machine, space);
    // each lease and each release renames something in it
    const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - usedAt > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns `undefined` if another instance has the peer, or has taken it first, or if it must not be used any more */
function take(folder: string, { name, peerId, owner: former }: Entry, spaceId: string): PeerLease | undefined {
  if (former !== FREE && isRunning(former)) return undefined;
  const [owner, subject] = [newOwner(), { spaceId, peerId }];
  const path = join(folder, `${peerId}.${owner}`);
  try {
    renameSync(join(folder, name), path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const usedUpTo = readRecord(path, subject);
  if (usedUpTo !== undefined) return new FilePeerLease(folder, owner, subject, usedUpTo);
  rmSync(path, { force: true });
  return undefined;
}

function toPoolError(error: unknown, folder: string): FoldspaceError {
  if (isFoldspaceError(error)) return error;
  const message = `The peers of this device cannot be kept in ${folder} (${errorMessage(error)}): each start is a new one`;
  return new FoldspaceError("FOLD_PERMISSION", message, { data: { path: folder }, cause: error });
}
