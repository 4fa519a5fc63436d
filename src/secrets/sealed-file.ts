import { webCrypto } from "../web-crypto.ts";
import { concatBytes } from "../bytes.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { assertAcceptable } from "./argon2.ts";
import { fromBase64, IV_BYTES, toBase64, toHex, utf8, type Bytes } from "./encoding.ts";
import { encodeContent, isCounter, parseContent, type SealedContent } from "./entries.ts";
import { PROOF_BYTES, type KeyReplacement } from "./key-replacement.ts";
import { WRAPPED_KEY_BYTES, wrapsData, type KeyWraps } from "./key-wraps.ts";
import { assertFileSize } from "./limits.ts";
import {
  parseRecoveryPair,
  PUBLIC_KEY_BYTES,
  recoveryPairTexts,
  SALT_BYTES,
  wrapTexts,
  type RecoveryWrap,
} from "./recovery-wrap.ts";
import { parseObject } from "./secret-map.ts";
import type { SpaceKey } from "./space-key.ts";

const FORMAT = "foldspace-secrets";
const VERSION = 2;
const CHECKSUM_DIGITS = 32;
/** Number of keys that a file names as replaced by its own, the latest first. */
export const MAX_REPLACED_KEYS: number = 16;
/** The recovery code opens the key either directly, or through the pair of keys that was made with the code. */
const DIRECT_KDF = "hkdf-sha256";
const CARRIED_KDF = "ecdh-p256-hkdf-sha256";
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$/;

/** The statements of a file of version 2 that can be read without a key. All of them are bound to the encrypted content. */
export interface SealedHeader {
  readonly spaceId: string;
  /** The only writer of the file. */
  readonly peerId: string;
  readonly keyId: string;
  /** Counts the peer's writes. */
  readonly sequence: number;
  /** Whether the protection was ended under this key. */
  readonly isEnded: boolean;
  readonly wraps: KeyWraps;
  /** Keys that the file's own key has replaced. */
  readonly replaces?: readonly KeyReplacement[] | undefined;
}

/** A file that has been parsed but not opened. */
export interface SealedFile extends SealedHeader {
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
}

/** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
export async function sealFile(header: SealedHeader, content: SealedContent, { key }: SpaceKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const additionalData = headerData(header);
  const plain = utf8(encodeContent(content));
  const ciphertext = new Uint8Array(await webCrypto().encrypt({ name: "AES-GCM", iv, additionalData }, key, plain));
  const { spaceId, peerId, keyId, sequence, isEnded, wraps, replaces = [] } = header;
  const { passphrase, recovery } = wraps;
  const { memoryKiB, iterations, parallelism } = passphrase;
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    spaceId,
    peerId,
    keyId,
    sequence,
    ended: isEnded,
    wraps: {
      version: wraps.version,
      peerId: wraps.peerId,
      passphrase: { kdf: "argon2id", memoryKiB, iterations, parallelism, ...wrapTexts(passphrase) },
      recovery: recoveryTexts(recovery),
    },
    ...(replaces.length > 0 ? { replaces: replaces.map(replacementTexts) } : {}),
    iv: toBase64(iv),
    ciphertext: toBase64(ciphertext),
    checksum: await checksum(header, iv, ciphertext),
  });
}

/**
 * Opens a file, which proves that a holder of the key wrote all of it.
 * @throws FoldspaceError `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_TOO_LARGE`
 */
export async function openFile(file: SealedFile, { key }: SpaceKey): Promise<SealedContent> {
  let plain: ArrayBuffer;
  try {
    const { iv } = file;
    plain = await webCrypto().decrypt({ name: "AES-GCM", iv, additionalData: headerData(file) }, key, file.ciphertext);
  } catch (cause) {
    throw new FoldspaceError("FOLD_SECRETS_BROKEN", "It does not decrypt: it was changed without the key", { cause });
  }
  return parseContent(new TextDecoder().decode(plain));
}

/**
 * Reads the parts of a file that need no key. The cost is bounded, whatever the text is.
 * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_PARAMETERS`, `FOLD_NEWER_FORMAT`
 */
export async function parseSealedFile(text: string, spaceId: string): Promise<SealedFile> {
  assertFileSize(text.length);
  const members = new Members(text);
  if (members.of("format") !== FORMAT) throw broken("it is not a file of secrets, or was cut off");
  if (members.of("version") !== VERSION) throw broken("it was written by a newer version", "FOLD_NEWER_FORMAT");
  const parsed: SealedFile = {
    spaceId: members.id("spaceId"),
    peerId: members.id("peerId"),
    keyId: members.id("keyId"),
    sequence: members.counter("sequence"),
    isEnded: members.of("ended") === true,
    wraps: readWraps(members.inner("wraps")),
    replaces: readReplacements(members.of("replaces")),
    iv: members.bytes("iv", IV_BYTES),
    ciphertext: members.bytes("ciphertext"),
  };
  if (members.of("checksum") !== (await checksum(parsed, parsed.iv, parsed.ciphertext))) throw broken("it was damaged");
  if (parsed.spaceId !== spaceId) throw broken(`it belongs to the space ${parsed.spaceId}`);
  assertAcceptable(parsed.wraps.passphrase);
  return parsed;
}

function readWraps(members: Members): KeyWraps {
  const [passphrase, recovery] = [members.inner("passphrase"), members.inner("recovery")];
  if (passphrase.of("kdf") !== "argon2id") throw unknownWrap();
  return {
    version: members.counter("version"),
    peerId: members.id("peerId"),
    passphrase: {
      memoryKiB: Number(passphrase.of("memoryKiB")),
      iterations: Number(passphrase.of("iterations")),
      parallelism: Number(passphrase.of("parallelism")),
      ...readWrap(passphrase),
    },
    recovery: readRecovery(recovery),
  };
}

function readWrap(wrap: Members): Pick<RecoveryWrap, "salt" | "iv" | "key"> {
  const [salt, iv] = [wrap.bytes("salt", SALT_BYTES), wrap.bytes("iv", IV_BYTES)];
  return { salt, iv, key: wrap.bytes("key", WRAPPED_KEY_BYTES) };
}

function readRecovery(recovery: Members): RecoveryWrap {
  if (recovery.of("kdf") === DIRECT_KDF) return readWrap(recovery);
  if (recovery.of("kdf") !== CARRIED_KDF) throw unknownWrap();
  const pair = parseRecoveryPair(recovery.of("pair"));
  if (!pair) throw broken("its pair of recovery keys is invalid");
  return { ...readWrap(recovery), carried: { ...pair, ephemeralKey: recovery.bytes("ephemeralKey", PUBLIC_KEY_BYTES) } };
}

function readReplacements(list: unknown): KeyReplacement[] {
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length > MAX_REPLACED_KEYS) throw broken("its list of replaced keys is invalid or too long");
  return list.map((item: unknown) => {
    const members = new Members(item);
    return { keyId: members.id("keyId"), iv: members.bytes("iv", IV_BYTES), proof: members.bytes("proof", PROOF_BYTES) };
  });
}

function unknownWrap(): FoldspaceError {
  return broken("its key is wrapped in an unknown way", "FOLD_SECRETS_PARAMETERS");
}

/** The members of an untrusted JSON object. */
class Members {
  readonly #members: Record<string, unknown>;

  constructor(source: unknown) {
    const members = typeof source === "string" ? parseObject(source) : source;
    if (typeof members !== "object" || members === null) throw broken("it is not a JSON object, or was cut off");
    this.#members = members as Record<string, unknown>;
  }

  of(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? this.#members[name] : undefined;
  }

  inner(name: string): Members {
    const value = this.of(name);
    return new Members(typeof value === "string" ? undefined : value);
  }

  id(name: string): string {
    const value = this.of(name);
    if (typeof value === "string" && ID.test(value)) return value;
    throw broken(`its ${name} is not an id`);
  }

  counter(name: string): number {
    const value = this.of(name);
    if (isCounter(value)) return value;
    throw broken(`its ${name} is not a counter`);
  }

  /** @param length in bytes; any length by default */
  bytes(name: string, length?: number): Bytes {
    const value = this.of(name);
    const bytes = typeof value === "string" ? fromBase64(value) : undefined;
    if (bytes && (length === undefined || bytes.length === length)) return bytes;
    throw broken(`its ${name} is not base64, or of the wrong length`);
  }
}

function headerData({ spaceId, peerId, keyId, sequence, isEnded, wraps, replaces = [] }: SealedHeader): Bytes {
  const fields: unknown[] = [spaceId, peerId, keyId, sequence, isEnded, ...wrapsData(wraps)];
  // absent if the list is empty, so that such files stay compatible
  if (replaces.length > 0) fields.push(replaces.map(replacementTexts).map((texts) => [texts.keyId, texts.iv, texts.proof]));
  return utf8(JSON.stringify([FORMAT, VERSION, "values", ...fields]));
}

function replacementTexts({ keyId, iv, proof }: KeyReplacement): Record<"keyId" | "iv" | "proof", string> {
  return { keyId, iv: toBase64(iv), proof: toBase64(proof) };
}

function recoveryTexts(recovery: RecoveryWrap): Record<string, unknown> {
  const { carried } = recovery;
  if (!carried) return { kdf: DIRECT_KDF, ...wrapTexts(recovery) };
  const ephemeralKey = toBase64(carried.ephemeralKey);
  return { kdf: CARRIED_KDF, ...wrapTexts(recovery), ephemeralKey, pair: recoveryPairTexts(carried) };
}

/** Distinguishes damage from a wrong passphrase. Only the tag prevents deliberate changes; the checksum does not. */
async function checksum(header: SealedHeader, iv: Bytes, ciphertext: Bytes): Promise<string> {
  const content = concatBytes([headerData(header), iv, ciphertext]);
  return toHex(new Uint8Array(await webCrypto().digest("SHA-256", content))).slice(0, CHECKSUM_DIGITS);
}

function broken(reason: string, code: FoldspaceErrorCode = "FOLD_SECRETS_BROKEN"): FoldspaceError {
  return new FoldspaceError(code, `The secrets cannot be read: ${reason}`);
}
