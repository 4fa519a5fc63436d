import type { IHasher } from "hash-wasm";

/** SHA-256 of bytes that come in pieces. Loaded when it is needed: an app that never repairs does without it. */
export async function newDigest(): Promise<IHasher> {
  const { createSHA256 } = await import("hash-wasm");
  return (await createSHA256()).init();
}

/** As hexadecimal digits. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  return (await newDigest()).update(bytes).digest();
}
