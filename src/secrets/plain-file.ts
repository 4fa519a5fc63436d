import { concatBytes } from "../bytes.ts";
import { FoldspaceError } from "../errors.ts";
import { fromBase64, IV_BYTES, toBase64, utf8, type Bytes } from "./encoding.ts";
import { assertFileSize } from "./limits.ts";
import { encodeSecrets, parseSecrets, type SecretMap } from "./secret-map.ts";

const TAG_BYTES = 16;

/**
 * Content of the file `secrets`, version 1: base64 of IV, AES-GCM ciphertext and tag. The key is the space's id, so this
 * hides secrets from a glance and from a search, and from nobody who has the folder.
 *
 * The IV is made from the content, so that devices that arrive at the same secrets write the same bytes and a sync
 * service finds no conflict in them.
 * @throws FoldspaceError `FOLD_BAD_ID` for a space whose id is no key, `FOLD_SECRETS_TOO_LARGE`
 */
export async function sealPlainFile(spaceId: string, secrets: SecretMap): Promise<string> {
  const id = keyBytes(spaceId);
  const content = utf8(encodeSecrets(secrets));
  const macKey = await crypto.subtle.importKey("raw", id, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const iv = new Uint8Array(await crypto.subtle.sign("HMAC", macKey, content)).slice(0, IV_BYTES);
  const key = await crypto.subtle.importKey("raw", id, "AES-GCM", false, ["encrypt"]);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, content);
  return toBase64(concatBytes([iv, new Uint8Array(sealed)]));
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE`, `FOLD_BAD_ID` */
export async function openPlainFile(spaceId: string, text: string): Promise<Map<string, string>> {
  assertFileSize(text.length);
  const id = keyBytes(spaceId);
  const sealed = fromBase64(text.replace(/^\uFEFF/, "").trim());
  if (!sealed || sealed.length < IV_BYTES + TAG_BYTES) throw broken("it is no base64 of a sealed text");
  const key = await crypto.subtle.importKey("raw", id, "AES-GCM", false, ["decrypt"]);
  const iv = sealed.subarray(0, IV_BYTES);
  let content: ArrayBuffer;
  try {
    content = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed.subarray(IV_BYTES));
  } catch (cause) {
    throw broken("it was cut off or changed, or belongs to another space", cause);
  }
  return parseSecrets(new TextDecoder().decode(content));
}

/** @throws FoldspaceError `FOLD_BAD_ID` */
export function keyBytes(spaceId: string): Bytes {
  const bytes = utf8(spaceId);
  if ([16, 24, 32].includes(bytes.length)) return bytes;
  throw new FoldspaceError(
    "FOLD_BAD_ID",
    `The id of this space has ${bytes.length} bytes; only with 16, 24 or 32 can it keep secrets without a passphrase`,
  );
}

function broken(reason: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_BROKEN", `The secrets do not decrypt: ${reason}`, { cause });
}
