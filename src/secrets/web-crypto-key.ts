/**
 * A key of WebCrypto: the type `CryptoKey` of a page. Programs for Node need not have the types of pages, and those of Node do not
 * declare it as a global.
 */
export interface WebCryptoKey {
  readonly algorithm: { readonly name: string };
  readonly extractable: boolean;
  readonly type: "private" | "public" | "secret";
  readonly usages: ("decrypt" | "deriveBits" | "deriveKey" | "encrypt" | "sign" | "unwrapKey" | "verify" | "wrapKey")[];
}
