// Loaded when a digest is first made. A module of its own for the reason that `secrets/argon2id.ts` has.
export { createSHA256 } from "hash-wasm";
