import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { FoldspaceError } from "../../errors.ts";

/** Bytes of a record: so few that a disk writes all of them or none. */
const RECORD_BYTES = 128;

/** The space and the peer that a record is about. */
export interface RecordSubject {
  readonly spaceId: string;
  readonly peerId: string;
}

/**
 * Makes the record of a new peer.
 * @throws the system's error
 */
export function createRecord(path: string, subject: RecordSubject): void {
  withFile(path, "wx", (file) => write(file, subject, 0, true));
}

/**
 * Reads the highest counter that may have been used under a peer.
 * @returns `undefined` if the file is damaged, or a copy of the one that was written: that may be older than the peer's last use
 * @throws the system's error
 */
export function readRecord(path: string, subject: RecordSubject): number | undefined {
  return withFile(path, "r", (file) => read(file, subject));
}

/**
 * Changes a record in place, because another file would not be the one that it was written to.
 * @param sync whether to wait for the disk
 * @throws the system's error; FoldspaceError `FOLD_IO` if another file has taken its place
 */
export function updateRecord(path: string, subject: RecordSubject, usedUpTo: number, sync: boolean): void {
  withFile(path, "r+", (file) => {
    if (read(file, subject) === undefined)
      throw new FoldspaceError("FOLD_IO", `${path} is not the record of a peer any more`, { data: { path } });
    write(file, subject, usedUpTo, sync);
  });
}

function withFile<T>(path: string, flags: string, use: (file: number) => T): T {
  const file = openSync(path, flags, 0o600);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function read(file: number, subject: RecordSubject): number | undefined {
  const bytes = Buffer.alloc(RECORD_BYTES);
  const text = bytes.toString("latin1", 0, readSync(file, bytes, 0, RECORD_BYTES, 0));
  const usedUpTo = Number(/^(\d{1,15}) /.exec(text)?.[1] ?? NaN);
  return text === encode(file, subject, usedUpTo) ? usedUpTo : undefined;
}

function write(file: number, subject: RecordSubject, usedUpTo: number, sync: boolean): void {
  writeSync(file, encode(file, subject, usedUpTo), 0, "latin1");
  if (sync) fdatasyncSync(file);
}

/** A counter, and a digest of everything that the record is about, the file itself included: a restored or copied one is another. */
function encode(file: number, { spaceId, peerId }: RecordSubject, usedUpTo: number): string {
  const { ino, birthtimeNs } = fstatSync(file, { bigint: true });
  const digest = createHash("sha256").update(JSON.stringify([spaceId, peerId, `${ino}`, `${birthtimeNs}`, usedUpTo]));
  return `${`${usedUpTo} ${digest.digest("hex")}`.padEnd(RECORD_BYTES - 1)}\n`;
}
