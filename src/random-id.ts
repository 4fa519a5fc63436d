// The core is compiled without the types of any platform. Browsers give `randomUUID` only to secure contexts, and so not to a page
// that was loaded over plain http from another machine.
declare const crypto: { readonly randomUUID?: () => string; getRandomValues(bytes: Uint8Array): Uint8Array };

/** A new random id: 32 lower-case hexadecimal digits. */
export function randomId(): string {
  return crypto.randomUUID?.().replaceAll("-", "") ?? digitsOf(crypto.getRandomValues(new Uint8Array(16)));
}

function digitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
