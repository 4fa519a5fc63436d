import { FoldspaceError } from "./errors.ts";

/** Whether the platform gives WebCrypto to this code: browsers do so only in secure contexts. */
export function hasWebCrypto(): boolean {
  return (globalThis as { crypto?: Partial<Crypto> }).crypto?.subtle !== undefined;
}

/**
 * WebCrypto's encryption, hashes and signatures.
 * @throws FoldspaceError `FOLD_UNAVAILABLE` where the platform has none, as on a page loaded over plain http from another machine
 */
export function webCrypto(): SubtleCrypto {
  const { crypto, isSecureContext } = globalThis as { crypto?: Partial<Crypto>; isSecureContext?: boolean };
  if (crypto?.subtle) return crypto.subtle;
  const reason =
    isSecureContext === false
      ? "this page was loaded over plain http, and browsers give it only to pages loaded over https or from this computer"
      : "this platform has none";
  throw new FoldspaceError("FOLD_UNAVAILABLE", `Secrets, and connections to a served folder, need WebCrypto: ${reason}`);
}
