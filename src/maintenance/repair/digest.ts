import type { IHasher } from "hash-wasm";
import { readChunks } from "../read-entry.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";

/** Hashers that are free to be used again, because making one costs more than hashing a small file. */
const idle: IHasher[] = [];

/** SHA-256 of bytes that come in pieces. */
export interface Digest {
  readonly update: (bytes: Uint8Array) => void;
  /** Ends the digest. @returns hexadecimal digits */
  readonly end: () => string;
}

/** Loads the hash function only when needed: an app that never repairs works without it. */
export async function newDigest(): Promise<Digest> {
  const { createSHA256 } = await import("./sha256.ts");
  const hasher = (idle.pop() ?? (await createSHA256())).init();
  return {
    update: (bytes) => void hasher.update(bytes),
    end: () => {
      const digest = hasher.digest();
      idle.push(hasher);
      return digest;
    },
  };
}

/** As hexadecimal digits. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = await newDigest();
  digest.update(bytes);
  return digest.end();
}

/** SHA-256 of a file, as hexadecimal digits. @param size as it was listed */
export async function digestOfFile(folder: SpaceFolder, path: string, size: number): Promise<string> {
  const digest = await newDigest();
  for await (const bytes of readChunks(folder, path, size)) digest.update(bytes);
  return digest.end();
}
