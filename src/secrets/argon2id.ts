// Loaded when a passphrase is first used. A bundler takes of a package that is imported like this only what is named, but all of one
// that `import()` names: an app that is built without code splitting would get all hashes.
export { argon2id } from "hash-wasm";
