import { chmodSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { type ErrorCode, StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { writeError } from "../storage/disk-error.ts";
import { markState } from "../storage/local/private/state-marker.ts";

/** There is no state folder, and it can't be made. */
export class StateFolderError extends StorageError {
  /** The user has no home folder to put it in, or it can't be made in the chosen place. */
  readonly fault: "homeless" | "unusable";

  constructor(code: ErrorCode, message: string, fault: StateFolderError["fault"], options?: ErrorOptions) {
    super(code, message, options);
    this.fault = fault;
  }
}

/**
 * The folder for the state of server and client, unless the user chooses another.
 *
 * @throws StateFolderError DISK_DENIED for a user who has no home folder
 */
export function defaultStateDir(): string {
  const { env, platform } = process;
  if (platform === "win32") return join(env["LOCALAPPDATA"] ?? join(home(), "AppData", "Local"), "CommServer");
  if (platform === "darwin") return join(home(), "Library", "Application Support", "CommServer");
  const xdg = env["XDG_STATE_HOME"] ?? "";
  // A relative path must be ignored (XDG Base Directory Specification).
  return join(isAbsolute(xdg) ? xdg : join(home(), ".local", "state"), "commserver");
}

/** Service users and containers may have no home: no HOME, and no entry in the list of users. */
function home(): string {
  try {
    return homedir();
  } catch (cause) {
    throw new StateFolderError("DISK_DENIED", "This user has no home folder to keep state in.", "homeless", {
      cause,
    });
  }
}

/** Every default folder of the same user, whether a service or a terminal starts the program. */
export function usualStateDirs(): string[] {
  const isXdg = !["win32", "darwin"].includes(process.platform);
  const candidates = [defaultStateDir, () => (isXdg ? join(home(), ".local", "state", "commserver") : [])];
  return candidates.flatMap((candidate) => {
    try {
      return candidate();
    } catch {
      return []; // a user without a home folder
    }
  });
}

/**
 * Make the state folder, readable by its owner alone when it is new, mark it, and return its full path.
 *
 * @throws StateFolderError DISK_DENIED, DISK_FULL, DISK_FAILED
 */
export function makeStateDir(folder: string): string {
  const absolute = resolve(folder);
  try {
    const created = mkdirSync(absolute, { recursive: true, mode: 0o700 });
    // The umask may have left other permissions. A disk that keeps none may refuse: see exposed-state.ts.
    if (created !== undefined && (statSync(absolute).mode & 0o777) !== 0o700) tryChmod(absolute);
    markState(absolute);
    return absolute;
  } catch (cause) {
    throw stateError(cause, absolute);
  }
}

function tryChmod(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch {
    // its permissions stay as they are
  }
}

function stateError(cause: unknown, folder: string): StateFolderError {
  const { code } = writeError(cause, "");
  const why = cause instanceof Error ? cause.message : String(cause);
  const what = code === "DISK_DENIED" ? "No permission to make" : "Cannot make";
  return new StateFolderError(
    code === "EXISTS" ? "DISK_DENIED" : code,
    `${what} the state folder ${quote(folder)} (${why}).`,
    "unusable",
    { cause },
  );
}

/** The socket by which operators reach a server without a terminal. */
export function operatorSocket(stateDir: string): string {
  return join(stateDir, "operator.sock");
}

export function ledgerFile(stateDir: string): string {
  return join(stateDir, "ledger.sqlite");
}

/** The messages that the server keeps for those who are not here. */
export function mailboxFile(stateDir: string): string {
  return join(stateDir, "mailbox.sqlite");
}

/** The server's certificate and key. */
export function identityFile(stateDir: string): string {
  return join(stateDir, "identity.pem");
}

/** The verifiers of the server's tokens. */
export function tokensFile(stateDir: string): string {
  return join(stateDir, "tokens.json");
}

/** The server's links to single files. */
export function linksFile(stateDir: string): string {
  return join(stateDir, "links.json");
}

/** The server's address and identity in the invites of its last start. */
export function invitationFile(stateDir: string): string {
  return join(stateDir, "invitation.json");
}

export function historyFile(stateDir: string): string {
  return join(stateDir, "history");
}

/** The client's choice of its default server. */
export function defaultServerFile(stateDir: string): string {
  return join(stateDir, "default-server.json");
}
