import { errorMessage, errorName, FoldspaceError, isError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";

/** An error in an answer of JetStream. */
export interface ApiError {
  /** As of HTTP. */
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Number of JetStream's error "wrong last sequence": another writer was faster. */
export const WRONG_LAST_SEQUENCE = 10_071;
/** Number of JetStream's error "stream name already in use". */
export const STREAM_EXISTS = 10_058;

const NO_STREAM = 10_059;
/** The server, the account or a stream has no room. */
const FULL: ReadonlySet<number> = new Set([10_002, 10_023, 10_028, 10_047]);

/** An error that JetStream answered. @param doing what failed, as the beginning of a sentence */
export function fromApiError(error: ApiError, doing: string): FoldspaceError {
  const data = { code: error.code, errCode: error.err_code };
  return new FoldspaceError(codeOfApi(error), `${doing}: the server answered "${error.description ?? error.code}"`, { data });
}

function codeOfApi({ code, err_code: number = 0, description = "" }: ApiError): FoldspaceErrorCode {
  if (number === NO_STREAM) return "FOLD_NOT_FOUND";
  if (FULL.has(number) || /maximum (?:bytes|messages)|no space left/.test(description)) return "FOLD_DISK_FULL";
  // no leader at present, or too few servers of the cluster
  return code === 503 || code === 408 ? "FOLD_UNAVAILABLE" : "FOLD_IO";
}

/** Names of the client's errors that another credential resolves. */
const REFUSALS: ReadonlySet<string> = new Set([
  "AuthorizationError",
  "PermissionViolationError",
  "UserAuthenticationExpiredError",
]);

/** An error of the client. @param doing what failed, as the beginning of a sentence */
export function fromClientError(error: unknown, doing: string): FoldspaceError {
  if (isFoldspaceError(error)) return error;
  for (let cause: unknown = error; isError(cause); cause = cause.cause) {
    if (REFUSALS.has(errorName(cause) ?? "")) {
      const reason = `${doing}: the server does not permit it (${cause.message})`;
      return new FoldspaceError("FOLD_PERMISSION", reason, { cause: error });
    }
  }
  return new FoldspaceError("FOLD_UNAVAILABLE", `${doing}: ${errorMessage(error)}`, { cause: error });
}

/** Whether nothing takes messages of a subject: no stream has it, or the server has no JetStream. */
export function isWithoutResponders(error: unknown): boolean {
  for (let cause: unknown = error; isError(cause); cause = cause.cause) if (errorName(cause) === "NoRespondersError") return true;
  return false;
}
