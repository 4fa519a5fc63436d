import { errorMessage, FoldspaceError } from "../errors.ts";
import type { Bytes } from "./encoding.ts";

/** Cost of trying one passphrase. RFC 9106: https://www.rfc-editor.org/rfc/rfc9106 */
export interface Argon2Parameters {
  /** In KiB. */
  readonly memoryKiB: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** About 1 s and 64 MiB: RFC 9106's choice for little memory, with one lane, because there is one thread. */
export const DEFAULT_ARGON2: Argon2Parameters = { memoryKiB: 64 * 1024, iterations: 3, parallelism: 1 };
/** OWASP's minimum: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html */
export const WEAKEST_ARGON2: Argon2Parameters = { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 };
/** The ceiling keeps a file from exhausting the memory of the device that opens it, or the user's patience. */
export const COSTLIEST_ARGON2: Argon2Parameters = { memoryKiB: 256 * 1024, iterations: 10, parallelism: 4 };
/** Limits memory times iterations, which determines the time: about 5 s at most. */
const MAX_WORK_KIB = 1024 * 1024;

/** @throws FoldspaceError `FOLD_SECRETS_PARAMETERS` if a parameter is below the floor or above the ceiling */
export function assertAcceptable(parameters: Argon2Parameters): void {
  const names = ["memoryKiB", "iterations", "parallelism"] as const;
  const isAcceptable =
    names.every((name) => Number.isSafeInteger(parameters[name])) &&
    names.every((name) => parameters[name] >= WEAKEST_ARGON2[name] && parameters[name] <= COSTLIEST_ARGON2[name]) &&
    parameters.memoryKiB * parameters.iterations <= MAX_WORK_KIB;
  if (isAcceptable) return;
  const given = names.map((name) => `${name} ${String(parameters[name])}`).join(", ");
  throw new FoldspaceError(
    "FOLD_SECRETS_PARAMETERS",
    `The parameters of Argon2id are weaker or costlier than accepted: ${given}`,
  );
}

/**
 * Derives a key of 32 bytes from a passphrase. Blocks the thread while it computes.
 * @throws FoldspaceError `FOLD_SECRETS_PARAMETERS`, `FOLD_UNAVAILABLE` without WebAssembly or enough memory
 */
export async function deriveKey(passphrase: string, salt: Bytes, parameters: Argon2Parameters): Promise<Bytes> {
  assertAcceptable(parameters);
  try {
    const { argon2id } = await import("./argon2id.ts");
    const derived = await argon2id({
      // texts that look the same give the same key, whatever keyboard they were typed on
      password: passphrase.normalize("NFKC"),
      salt,
      memorySize: parameters.memoryKiB,
      iterations: parameters.iterations,
      parallelism: parameters.parallelism,
      hashLength: 32,
      outputType: "binary",
    });
    return new Uint8Array(derived);
  } catch (cause) {
    const reason = (await whyNoWebAssembly()) ?? `the computation failed: ${errorMessage(cause)}`;
    throw new FoldspaceError("FOLD_UNAVAILABLE", `Passphrases need Argon2id, which runs in WebAssembly: ${reason}`, {
      data: { memoryKiB: parameters.memoryKiB },
      cause,
    });
  }
}

/** The module without content: compiling it fails only where no module may be compiled. */
const EMPTY_MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** Each browser reports the refusal in other words, so a trial decides. @returns `undefined` where WebAssembly works */
async function whyNoWebAssembly(): Promise<string | undefined> {
  const { WebAssembly: webAssembly } = globalThis as { WebAssembly?: typeof WebAssembly };
  if (!webAssembly) return "this platform has none, as a browser in lockdown mode";
  try {
    await webAssembly.compile(EMPTY_MODULE);
    return undefined;
  } catch {
    return "the Content-Security-Policy of this page forbids it; add 'wasm-unsafe-eval' to its script-src directive";
  }
}
