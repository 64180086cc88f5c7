/**
 * Every failure that CommServer can name, in one table, and the error classes that carry it.
 *
 * The table is the only place where a code gets its wire number (PROTOCOL.md, "Error codes") and its properties. Exit
 * codes and advice belong to the command line: lib/cli/exit-codes.ts, lib/cli/advice.ts.
 */

export type ErrorScope = "session" | "stream" | "local";

export interface ErrorRule {
  /** Number on the wire; 0 for errors that never travel. */
  readonly wire: number;
  /** What the error ends: the session, one stream, or only the local operation. */
  readonly scope: ErrorScope;
  /** True when the same request may succeed later without any change. */
  readonly retryable: boolean;
  /** True when the link failed, not the request: no CommServer was reached, or the session with it can't go on. */
  readonly unreachable: boolean;
}

/** A rule whose scope is known as a type. */
type Scoped<Scope extends ErrorScope> = ErrorRule & { readonly scope: Scope };

type Trait = "retryable" | "unreachable";

function rule<Scope extends ErrorScope>(scope: Scope, wire: number, traits: readonly Trait[]): Scoped<Scope> {
  return { wire, scope, retryable: traits.includes("retryable"), unreachable: traits.includes("unreachable") };
}

const session = (wire: number, ...traits: Trait[]) => rule("session", wire, traits);
const stream = (wire: number, ...traits: Trait[]) => rule("stream", wire, traits);
const local = (...traits: Trait[]) => rule("local", 0, traits);

export const ERRORS = {
  BAD_MAGIC: session(1, "unreachable"),
  UNSUPPORTED_VERSION: session(2, "unreachable"),
  BAD_HEADER: session(3, "unreachable"),
  FRAME_TOO_LARGE: session(4, "unreachable"),
  UNKNOWN_OPCODE: session(5, "unreachable"),
  UNEXPECTED_FRAME: session(6, "unreachable"),
  BAD_PAYLOAD: session(7, "unreachable"),
  BAD_STREAM: session(8, "unreachable"),
  CREDIT_EXCEEDED: session(9, "unreachable"),
  HANDSHAKE_TIMEOUT: session(10, "retryable", "unreachable"),
  HEARTBEAT_TIMEOUT: session(11, "retryable", "unreachable"),
  SERVER_FULL: session(12, "retryable"),
  SHUTDOWN: session(13, "retryable", "unreachable"),
  KICKED: session(14),
  UNAVAILABLE: session(15, "retryable", "unreachable"),
  TOKEN_REQUIRED: session(16),
  ACCESS_DENIED: session(17),
  THROTTLED: session(18),
  TOO_MANY_SESSIONS: session(19, "retryable"),
  IDLE_TIMEOUT: session(20, "unreachable"),
  NO_SUCH_CODE: session(21),

  UNKNOWN_METHOD: stream(32),
  BAD_PARAMS: stream(33),
  NOT_FOUND: stream(34),
  BAD_PATH: stream(35),
  NOT_A_FILE: stream(36),
  NOT_ALLOWED: stream(37),
  CANCELLED: stream(38),
  INTERNAL: stream(39, "retryable"),
  CHANGED: stream(40, "retryable"),
  UNREADABLE: stream(41),
  NO_SUCH_CLIENT: stream(42),
  NOT_DELIVERED: stream(43, "retryable"),
  TOO_MANY_STREAMS: stream(44, "retryable"),
  EXISTS: stream(45),
  BUSY: stream(46, "retryable"),
  NO_SPACE: stream(47, "retryable"),
  DIGEST_MISMATCH: stream(48, "retryable"),
  NOT_EMPTY: stream(49),
  UNWRITABLE: stream(50),
  TOO_OFTEN: stream(51, "retryable"),
  QUOTA_EXCEEDED: stream(52),
  TOKEN_EXISTS: stream(53),
  NO_SUCH_TOKEN: stream(54),
  TOO_LARGE: stream(55),
  OVERLOADED: stream(56, "retryable"),
  CROWDED: stream(57, "retryable"),
  SAME_NAME: stream(58),
  MAILBOX_FULL: stream(59, "retryable"),

  USAGE: local(),
  MALFORMED: local(),
  CANNOT_CONNECT: local("retryable", "unreachable"),
  TLS_FAILED: local("retryable", "unreachable"),
  UNKNOWN_IDENTITY: local(),
  WRONG_IDENTITY: local(),
  SERVER_KNOWN: local(),
  NO_SUCH_SERVER: local(),
  LOST: local("retryable", "unreachable"),
  TIMEOUT: local("retryable", "unreachable"),
  INCOMPLETE: local(),
  TOO_MANY_ENTRIES: local(),
  DISK_FULL: local(),
  DISK_DENIED: local(),
  TOO_MANY_FILES: local("retryable"),
  DISK_FAILED: local(),
  NO_SUCH_FILE: local(),
  NO_REPOSITORY: local(),
  REPOSITORY_DENIED: local(),
  OWN_STATE: local(),
  STATE_IN_USE: local(),
  NEWER_STATE: local(),
  CANNOT_LISTEN: local(),
  OUTPUT_CLOSED: local(),
  INTERRUPTED: local(),
  UNEXPECTED: local(),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

const CODE_OF_WIRE = new Map<number, ErrorCode>(
  (Object.keys(ERRORS) as ErrorCode[])
    .filter((code) => ERRORS[code].wire !== 0)
    .map((code) => [ERRORS[code].wire, code]),
);

/**
 * The code for a wire number. A number from a newer peer reads as UNAVAILABLE; its message still says what is wrong.
 */
export function codeOfWire(wire: number): ErrorCode {
  return CODE_OF_WIRE.get(wire) ?? "UNAVAILABLE";
}

/** Base of all errors with a code. `message` is one sentence for people; `cause` is kept. */
export class CommError extends Error {
  override readonly name: string = "CommError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The peer broke the protocol; the session can't go on. */
export class ProtocolError extends CommError {
  override readonly name = "ProtocolError";
}

/** One stream can't go on; the session can. */
export class StreamError extends CommError {
  override readonly name = "StreamError";
}

/** An error that the peer sent, with RESET, REFUSE or GOAWAY. */
export class RemoteError extends CommError {
  override readonly name = "RemoteError";
  /** When the peer says that it is worth trying again. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterMs?: number) {
    super(code, message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The link could not be made, or is gone. */
export class TransportError extends CommError {
  override readonly name = "TransportError";
}

/** The disk or the repository refused. */
export class StorageError extends CommError {
  override readonly name = "StorageError";
}

/** True for an error after which the session can't continue. */
export function endsSession(error: CommError): boolean {
  return ERRORS[error.code].scope === "session" || error.code === "LOST";
}

/** Any thrown value as a CommError: itself if it is one, else UNEXPECTED with the value as cause. */
export function toCommError(thrown: unknown): CommError {
  if (thrown instanceof CommError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommError("UNEXPECTED", message, { cause: thrown });
}
