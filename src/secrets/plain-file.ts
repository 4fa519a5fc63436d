import { webCrypto } from "../web-crypto.ts";
import { concatBytes } from "../bytes.ts";
import { FoldspaceError } from "../errors.ts";
import { fromBase64, IV_BYTES, toBase64, utf8, type Bytes } from "./encoding.ts";
import { assertFileSize, MAX_SECRETS_FILE_BYTES } from "./limits.ts";
import { encodeSecrets, parseObject, parseSecrets, type SecretMap } from "./secret-map.ts";

const TAG_BYTES = 16;

/**
 * Content of the file `secrets`, version 1: base64 of IV, AES-GCM ciphertext and tag. The key is the space's id, so this hides
 * the secrets from a glance and from a search, but not from a user who has the folder.
 *
 * The IV is derived from the content, so that devices with the same secrets write the same bytes and a sync service finds no
 * conflict in them.
 * @throws FoldspaceError `FOLD_BAD_ID` if the space's id cannot be a key, `FOLD_SECRETS_TOO_LARGE`
 */
export async function sealPlainFile(spaceId: string, secrets: SecretMap): Promise<string> {
  const id = keyBytes(spaceId);
  const content = utf8(encodeSecrets(secrets));
  const macKey = await webCrypto().importKey("raw", id, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const iv = new Uint8Array(await webCrypto().sign("HMAC", macKey, content)).slice(0, IV_BYTES);
  const key = await webCrypto().importKey("raw", id, "AES-GCM", false, ["encrypt"]);
  const sealed = await webCrypto().encrypt({ name: "AES-GCM", iv }, key, content);
  return toBase64(concatBytes([iv, new Uint8Array(sealed)]));
}

/** @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE`, `FOLD_BAD_ID` */
export async function openPlainFile(spaceId: string, text: string): Promise<Map<string, string>> {
  assertFileSize(text.length);
  const id = keyBytes(spaceId);
  const sealed = fromBase64(withoutMark(text));
  if (!sealed || sealed.length < IV_BYTES + TAG_BYTES) throw broken("it is not base64 of an encrypted text");
  const key = await webCrypto().importKey("raw", id, "AES-GCM", false, ["decrypt"]);
  const iv = sealed.subarray(0, IV_BYTES);
  let content: ArrayBuffer;
  try {
    content = await webCrypto().decrypt({ name: "AES-GCM", iv }, key, sealed.subarray(IV_BYTES));
  } catch (cause) {
    throw broken("it was cut off or changed, or belongs to another space", cause);
  }
  return parseSecrets(new TextDecoder().decode(content));
}

/** Characters at the beginning of a file that show whether it contains secrets. */
export const PLAIN_PREFIX_LENGTH = 48;

/**
 * Whether a text begins like a file of these secrets, so that anyone who knows the space's id can read it. This also applies to
 * a file that was cut off: a missing tag does not prevent decryption.
 */
export async function isReadablePlainText(spaceId: string, text: string): Promise<boolean> {
  const start = await decryptUnchecked(spaceId, withoutMark(text).slice(0, PLAIN_PREFIX_LENGTH - 4));
  return start !== undefined && /^\{(?:"|\}$)/.test(start) && !/[\p{Cc}\uFFFD]/u.test(start.slice(0, -4));
}

/**
 * The complete secrets in a file that was cut off. They are not authenticated.
 * @returns an empty map for any other text
 */
export async function salvagePlainFile(spaceId: string, text: string): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  if (text.length > MAX_SECRETS_FILE_BYTES || !(await isReadablePlainText(spaceId, text))) return secrets;
  const content = (await decryptUnchecked(spaceId, withoutMark(text))) ?? "";
  for (const [, member] of content.slice(1).matchAll(/("(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*")[,}]/gy)) {
    const parsed = parseObject(`{${member}}`);
    for (const [name, value] of Object.entries(parsed ?? {})) secrets.set(name, value as string);
  }
  return secrets;
}

/** GCM encrypts like CTR from the second counter on: https://csrc.nist.gov/pubs/sp/800/38/d/final */
async function decryptUnchecked(spaceId: string, text: string): Promise<string | undefined> {
  const sealed = fromBase64(text.slice(0, text.length - (text.length % 4)));
  if (!sealed || sealed.length <= IV_BYTES || !isKey(spaceId)) return undefined;
  const key = await webCrypto().importKey("raw", keyBytes(spaceId), "AES-CTR", false, ["decrypt"]);
  const counter = concatBytes([sealed.subarray(0, IV_BYTES), Uint8Array.of(0, 0, 0, 2)]);
  const content = await webCrypto().decrypt({ name: "AES-CTR", counter, length: 32 }, key, sealed.subarray(IV_BYTES));
  return new TextDecoder().decode(content);
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "").trim();
}

/** @throws FoldspaceError `FOLD_BAD_ID` */
export function keyBytes(spaceId: string): Bytes {
  const bytes = utf8(spaceId);
  if (isKey(spaceId)) return bytes;
  throw new FoldspaceError(
    "FOLD_BAD_ID",
    `The id of this space has ${bytes.length} bytes; only a space whose id has 16, 24 or 32 can keep secrets without a passphrase`,
  );
}

function isKey(spaceId: string): boolean {
  return [16, 24, 32].includes(utf8(spaceId).length);
}

function broken(reason: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_BROKEN", `The secrets do not decrypt: ${reason}`, { cause });
}
