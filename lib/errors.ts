/**
 * Every failure that CommServer can name, in one table, and the error classes that carry it.
 *
 * The table is the only place where a code gets its wire number (PROTOCOL.md, "Error codes"), its
 * scope, its exit code (README, "Exit codes") and the advice that a person reads below the message.
 */

export type ErrorScope = "session" | "stream" | "local";

export interface ErrorRule {
  /** Number on the wire; 0 for errors that never travel. */
  readonly wire: number;
  /** What the error ends: the session, one stream, or only the local operation. */
  readonly scope: ErrorScope;
  /** True when the same request may succeed later without any change. */
  readonly retryable: boolean;
  /** Process exit code of the command that fails with it. */
  readonly exit: number;
  /** What the person can do next; empty where the message says all. */
  readonly advice: string;
}

/** A rule whose scope is known as a type. */
type Scoped<Scope extends ErrorScope> = ErrorRule & { readonly scope: Scope };

const session = (wire: number, exit: number, advice = "", retryable = false): Scoped<"session"> => ({
  wire,
  scope: "session",
  retryable,
  exit,
  advice,
});

const stream = (wire: number, exit: number, advice = "", retryable = false): Scoped<"stream"> => ({
  wire,
  scope: "stream",
  retryable,
  exit,
  advice,
});

const local = (exit: number, advice = "", retryable = false): Scoped<"local"> => ({
  wire: 0,
  scope: "local",
  retryable,
  exit,
  advice,
});

const OTHER_END = "Check that the other end is CommServer, of a version that fits this one.";

export const ERRORS = {
  BAD_MAGIC: session(1, 3, OTHER_END),
  UNSUPPORTED_VERSION: session(2, 3, "Update the older of the two programs."),
  BAD_HEADER: session(3, 3, OTHER_END),
  FRAME_TOO_LARGE: session(4, 3, OTHER_END),
  UNKNOWN_OPCODE: session(5, 3, OTHER_END),
  UNEXPECTED_FRAME: session(6, 3, OTHER_END),
  BAD_PAYLOAD: session(7, 3, OTHER_END),
  BAD_STREAM: session(8, 3, OTHER_END),
  CREDIT_EXCEEDED: session(9, 3, OTHER_END),
  HANDSHAKE_TIMEOUT: session(10, 3, OTHER_END, true),
  HEARTBEAT_TIMEOUT: session(11, 3, "Check the network, then run it again.", true),
  SERVER_FULL: session(12, 4, "Queue for a seat with --wait, while the queue has room.", true),
  SHUTDOWN: session(13, 3, "Try again when the server is back.", true),
  KICKED: session(14, 5, "Ask the operator of the server."),
  UNAVAILABLE: session(15, 3, "See the log of the server.", true),
  TOKEN_REQUIRED: session(16, 5, "Ask its operator for an invite, then: commserver-client join INVITE"),
  ACCESS_DENIED: session(17, 5, "Ask the operator of the server for a new invite."),
  THROTTLED: session(18, 5, "Check the token, or ask the operator of the server for a new invite."),
  TOO_MANY_SESSIONS: session(19, 4, "End another session, or ask the operator of the server.", true),
  IDLE_TIMEOUT: session(20, 3, "Connect again."),

  UNKNOWN_METHOD: stream(32, 3, "Update the older of the two programs."),
  BAD_PARAMS: stream(33, 2),
  NOT_FOUND: stream(34, 6, "See what there is with: commserver-client list"),
  BAD_PATH: stream(35, 2, 'A path is relative and uses "/": docs/report.pdf'),
  NOT_A_FILE: stream(36, 2, "See what it holds with: commserver-client list PATH"),
  NOT_ALLOWED: stream(37, 5, "Ask the operator of the server."),
  CANCELLED: stream(38, 1),
  INTERNAL: stream(39, 1, "See the log of the server.", true),
  CHANGED: stream(40, 8, "Run it again when the file is at rest.", true),
  UNREADABLE: stream(41, 5, "Ask the operator of the server."),
  NO_SUCH_CLIENT: stream(42, 6, "See who is here with: commserver-client status"),
  NOT_DELIVERED: stream(43, 3, "", true),
  TOO_MANY_STREAMS: stream(44, 1, "Wait for a running request to end.", true),
  EXISTS: stream(45, 8, "Replace it with --overwrite, leave it with --skip-existing, or keep both with --rename."),
  BUSY: stream(46, 8, "Wait for the other transfer of the same file to end.", true),
  NO_SPACE: stream(47, 9, "Make room on the server, then run it again: it goes on where it stopped.", true),
  DIGEST_MISMATCH: stream(48, 7, "Run it again: what was verified is kept.", true),
  NOT_EMPTY: stream(49, 8, "Remove it with all below it: --recursive"),
  UNWRITABLE: stream(50, 5, "Ask the operator of the server."),
  TOO_OFTEN: stream(51, 5, "Wait a second between requests.", true),
  QUOTA_EXCEEDED: stream(52, 9, "Remove something from the repository, or ask its operator."),
  TOKEN_EXISTS: stream(53, 8, "Revoke it first, or choose another name."),
  NO_SUCH_TOKEN: stream(54, 6, "See which there are with: commserver-server token list"),
  TOO_LARGE: stream(55, 9, "Cut it into smaller files."),
  OVERLOADED: stream(56, 4, "Run it again in a moment. The server's operator can raise its limit of open files.", true),
  CROWDED: stream(57, 4, "Run it again later: it goes on where it stopped.", true),
  SAME_NAME: stream(58, 8, "Keep both with --rename, or give one of them another name first."),

  USAGE: local(2),
  CANNOT_CONNECT: local(3, "Check the address, and that the server is running.", true),
  TLS_FAILED: local(3, "Check the address. A server without encryption needs --plaintext on both sides.", true),
  UNKNOWN_IDENTITY: local(
    5,
    "Compare the fingerprint with the server's, then trust it with --accept-new; or join an invite.",
  ),
  WRONG_IDENTITY: local(5, "Ask its operator for a new invite, over another way."),
  SERVER_KNOWN: local(8, "Choose another name with --name, or replace what is known with --overwrite."),
  NO_SUCH_SERVER: local(6, "See which are known with: commserver-client servers"),
  LOST: local(3, "Check the network, then run it again.", true),
  TIMEOUT: local(3, "Give it longer with --timeout SECONDS.", true),
  INCOMPLETE: local(7, "Run it again: what was verified is kept."),
  TOO_MANY_ENTRIES: local(7, "Get its folders one by one: what has arrived is kept."),
  DISK_FULL: local(9, "Make room, then run it again: it goes on where it stopped."),
  DISK_DENIED: local(9, "Look at who owns it and its folder, and what they may do: ls -ld"),
  TOO_MANY_FILES: local(9, "Raise the limit of open files (ulimit -n), then run it again.", true),
  DISK_FAILED: local(9, "Check the disk, then run it again."),
  NO_SUCH_FILE: local(6, "Check the name and the folder that you are in."),
  NO_REPOSITORY: local(6, "Make the folder, or choose another with --repository."),
  REPOSITORY_DENIED: local(9, "Choose a folder that you may read with --repository."),
  OWN_STATE: local(5, "Choose another folder; where CommServer keeps what is its own, --state-dir says."),
  STATE_IN_USE: local(8, "Stop that server first, or choose another state folder with --state-dir."),
  NEWER_STATE: local(9, "Update this program, or use the one that wrote it. Nothing was changed."),
  CANNOT_LISTEN: local(10, "Choose another address with --host, or another port with --port."),
  OUTPUT_CLOSED: local(0),
  INTERRUPTED: local(130),
  UNEXPECTED: local(1, "This is a defect: please report it with what you did."),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

const CODE_OF_WIRE = new Map<number, ErrorCode>(
  (Object.keys(ERRORS) as ErrorCode[])
    .filter((code) => ERRORS[code].wire !== 0)
    .map((code) => [ERRORS[code].wire, code]),
);

/** The code for a wire number. A number from a newer peer reads as UNAVAILABLE: the message still tells. */
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

/** The peer said so, with RESET, REFUSE or GOAWAY. */
export class RemoteError extends CommError {
  override readonly name = "RemoteError";
  /** When the same is worth another try, as the peer says. */
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

/** The disk or the repository said no. */
export class StorageError extends CommError {
  override readonly name = "StorageError";
}

/** The command line, or a line typed into the shell, can't be understood. */
export class UsageError extends CommError {
  override readonly name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super("USAGE", message, options);
  }
}

/** True for an error that leaves no session to go on with. */
export function endsSession(error: CommError): boolean {
  return ERRORS[error.code].scope === "session" || error.code === "LOST";
}

/** Any thrown value as a CommError: itself if it is one, else UNEXPECTED with the value as cause. */
export function toCommError(thrown: unknown): CommError {
  if (thrown instanceof CommError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommError("UNEXPECTED", message, { cause: thrown });
}
