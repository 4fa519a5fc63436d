import type { IHasher } from "hash-wasm";
import { readChunks } from "../read-entry.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";

/** SHA-256 of bytes that come in pieces. Loaded only when needed: an app that never repairs works without it. */
export async function newDigest(): Promise<IHasher> {
  const { createSHA256 } = await import("hash-wasm");
  return (await createSHA256()).init();
}

/** As hexadecimal digits. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  return (await newDigest()).update(bytes).digest();
}

/** SHA-256 of a file, as hexadecimal digits. @param size as it was listed */
export async function digestOfFile(folder: SpaceFolder, path: string, size: number): Promise<string> {
  const hash = await newDigest();
  for await (const bytes of readChunks(folder, path, size)) hash.update(bytes);
  return hash.digest();
}
