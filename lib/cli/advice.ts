import type { ErrorCode } from "../errors.ts";

const OTHER_END = "Check that the other end is CommServer, in a compatible version.";

/** What a person can do next, shown below the message; empty where the message says enough. */
const ADVICE: Readonly<Record<ErrorCode, string>> = {
  BAD_MAGIC: "Check that the other end is CommServer. Both sides need --plaintext, or neither.",
  UNSUPPORTED_VERSION: "Update the older of the two programs.",
  BAD_HEADER: OTHER_END,
  FRAME_TOO_LARGE: OTHER_END,
  UNKNOWN_OPCODE: OTHER_END,
  UNEXPECTED_FRAME: OTHER_END,
  BAD_PAYLOAD: OTHER_END,
  BAD_STREAM: OTHER_END,
  CREDIT_EXCEEDED: OTHER_END,
  HANDSHAKE_TIMEOUT: OTHER_END,
  HEARTBEAT_TIMEOUT: "Check the network, then run it again.",
  SERVER_FULL: "Queue for a seat with --wait, while the queue has room.",
  SHUTDOWN: "Try again when the server is back.",
  KICKED: "Ask the operator of the server.",
  UNAVAILABLE: "See the server's log.",
  TOKEN_REQUIRED: "Ask its operator for an invite, then: commserver-client join INVITE",
  ACCESS_DENIED: "Ask the operator of the server for a new invite.",
  THROTTLED: "Check the token, or ask the operator of the server for a new invite.",
  TOO_MANY_SESSIONS: "End another session, or ask the operator of the server.",
  IDLE_TIMEOUT: "Connect again.",
  NO_SUCH_CODE: "Ask for another code.",
  UNKNOWN_METHOD: "Update the older of the two programs.",
  BAD_PARAMS: "",
  NOT_FOUND: "See what there is with: commserver-client list",
  BAD_PATH: 'A path is relative, with "/" between names that the disk can hold: docs/report.pdf',
  NOT_A_FILE: "See what it holds with: commserver-client list PATH",
  NOT_ALLOWED:
    'Ask the operator of the server. To change files, the server needs --writable and the token the role "write".',
  CANCELLED: "",
  INTERNAL: "See the server's log.",
  CHANGED: "Run it again when nothing else is changing the file.",
  UNREADABLE: "Ask the operator of the server.",
  NO_SUCH_CLIENT: "See who is connected with: commserver-client status",
  NOT_DELIVERED: "",
  TOO_MANY_STREAMS: "Wait for a running request to end.",
  EXISTS:
    "Replace a file with --overwrite, leave it with --skip-existing, or keep both with --rename; else choose another name.",
  BUSY: "Wait for the other transfer of the same file to end.",
  NO_SPACE: "Make room on the server, then run it again: it resumes where it stopped.",
  DIGEST_MISMATCH: "Run it again: what was verified is kept.",
  NOT_EMPTY: "Remove it and everything in it with: --recursive",
  UNWRITABLE: "Ask the operator of the server.",
  TOO_OFTEN: "Wait a second between requests.",
  QUOTA_EXCEEDED: "Remove something from the repository, or ask its operator.",
  TOKEN_EXISTS: "Revoke it first, or choose another name.",
  NO_SUCH_TOKEN: "List the tokens with: commserver-server token list",
  TOO_LARGE: "Split it into smaller files.",
  OVERLOADED: "Run it again in a moment. The server's operator can raise its limit of open files.",
  CROWDED: "Run it again later: it resumes where it stopped.",
  SAME_NAME: "Keep both with --rename, or give one of them another name first.",
  MAILBOX_FULL: "Send it again when its messages have been taken, or ask the operator of the server.",
  USAGE: "",
  MALFORMED: "",
  CANNOT_CONNECT: "Check the address, and that the server is running.",
  TLS_FAILED: "Check the address. A server without encryption needs --plaintext on both sides.",
  UNKNOWN_IDENTITY:
    "Compare the fingerprint with the server's, then trust it with --accept-new; or join with an invite.",
  WRONG_IDENTITY: "Ask its operator for a new invite, over another channel.",
  SERVER_KNOWN: "Choose another name with --name, or replace what is known with --overwrite.",
  NO_SUCH_SERVER: "List the known servers with: commserver-client servers",
  LOST: "Check the network, then run it again.",
  TIMEOUT: "Allow more time with --timeout SECONDS.",
  INCOMPLETE: "Run it again: what was verified is kept.",
  TOO_MANY_ENTRIES: "Fetch its folders one by one: what has arrived is kept.",
  DISK_FULL: "Make room on this machine, then run it again: it resumes where it stopped.",
  DISK_DENIED: "Check the owner and permissions of the file and its folder: ls -ld",
  TOO_MANY_FILES: "Raise the limit of open files (ulimit -n), then run it again.",
  DISK_FAILED: "Check the disk, then run it again.",
  NO_SUCH_FILE: "Check the name and the current folder.",
  NO_REPOSITORY: "Make the folder, or choose another with --repository.",
  REPOSITORY_DENIED: "Choose a folder that you may read with --repository.",
  OWN_STATE: "Choose another folder. --state-dir says where CommServer keeps its own files.",
  STATE_IN_USE: "Stop that server first, or choose another state folder with --state-dir.",
  NEWER_STATE: "Update this program, or use the one that wrote it. Nothing was changed.",
  CANNOT_LISTEN: "Choose another address with --host, or another port with --port.",
  OUTPUT_CLOSED: "",
  INTERRUPTED: "",
  UNEXPECTED: "This is a defect: please report it with what you did.",
};

const WHOLE_INPUT = "run it again with the whole input.";

/** Advice for commands that take fewer flags than the usual advice names, or that can't resume. */
const ADVICE_OF: Readonly<Record<string, Partial<Readonly<Record<ErrorCode, string>>>>> = {
  rename: { EXISTS: "Replace a file with --overwrite, or choose another name; FOLDER/ moves it into a folder." },
  mkdir: { EXISTS: "A folder that is there already is no error with --parents." },
  "put -": {
    DISK_FULL: "Make room there, or choose another folder for temporary files: TMPDIR=FOLDER",
    NO_SPACE: `Make room on the server, then ${WHOLE_INPUT}`,
    CROWDED: `Wait a moment, then ${WHOLE_INPUT}`,
    DIGEST_MISMATCH: `Check the network, then ${WHOLE_INPUT}`,
    INCOMPLETE: `Check the network, then ${WHOLE_INPUT}`,
  },
  "get -": {
    CROWDED: "Run it again later, from the beginning.",
    DIGEST_MISMATCH: "Run it again, from the beginning.",
    INCOMPLETE: "Run it again, from the beginning.",
  },
  sync: { EXISTS: "", INCOMPLETE: "", SAME_NAME: "Give one of them another name, or exclude it." },
  find: {
    NO_SUCH_SERVER: "A server announces itself when it is started with: commserver-server --announce",
    CANNOT_CONNECT: "Check that this machine is on a network, and may use UDP port 5353 there.",
  },
  join: {
    ACCESS_DENIED: "Ask for another code.",
    THROTTLED: "",
    CANNOT_CONNECT: "Check that the server of the code runs, and where: --server HOST[:PORT]",
  },
  invite: {
    TIMEOUT: "Run it again when the server answers.",
    CANNOT_CONNECT: "Start the server, or make an invite to copy, without --code.",
  },
  token: { TIMEOUT: "Run it again when the server answers." },
};

/** The advice for an error of `command`, with no flag that the command refuses. */
export function adviceFor(code: ErrorCode, command: string | undefined): string {
  return (command === undefined ? undefined : ADVICE_OF[command]?.[code]) ?? ADVICE[code];
}
