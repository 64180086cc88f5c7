import type { ArgsDef } from "citty";
import { isInvite, parseInvite } from "../../protocol/invite.ts";
import { isTokenName } from "../../protocol/scram.ts";
import { parseToken } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { certificatesIn } from "../../transport/pem.ts";
import type { ConnectorSettings } from "../../trust/connector.ts";
import { integerFlag, rateFlag, secondsFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { readGiven } from "../given-file.ts";
import { interruptible } from "../interruptible.ts";
import { readSecret } from "../secret-source.ts";
import { serverVariable } from "../server-variable.ts";
import { processTrace } from "../trace-file.ts";
import { UsageError } from "../usage-error.ts";
import { VERSION } from "../version.ts";

/** Flags of every client command. */
export const CONNECTION_FLAGS = {
  server: {
    type: "string",
    alias: "s",
    valueHint: "SERVER",
    description: "A joined name, HOST:PORT, [IPV6]:PORT or unix:PATH; default: COMMSERVER_SERVER, or as `use` says",
  },
  nick: { type: "string", valueHint: "NAME", description: "What others see beside your session's name: ~NAME" },
  wait: { type: "boolean", alias: "w", description: "Queue for a seat when the server is full" },
  timeout: {
    type: "string",
    valueHint: "SECONDS",
    default: "10",
    description: "How long connecting may take; a request may be silent 3 times as long, or 45 s",
  },
  "token-file": { type: "string", valueHint: "FILE", description: "Take the token from a file; -: standard input" },
  "invite-file": { type: "string", valueHint: "FILE", description: "Take an invite from a file; -: standard input" },
  "accept-new": { type: "boolean", description: "Trust an unknown server on first use, and remember its identity" },
  ca: { type: "string", valueHint: "FILE", description: "Trust the authorities in FILE (PEM), and check the name" },
  plaintext: { type: "boolean", description: "Connect without encryption, to a server that uses none" },
  "state-dir": { type: "string", valueHint: "DIR", description: "Where known servers and the history are kept" },
  json: { type: "boolean", description: "Print JSON for programs" },
} as const satisfies ArgsDef;

/** Flags of commands that take long enough to lose a link. */
export const RECONNECT_FLAGS = {
  reconnect: {
    type: "string",
    valueHint: "SECONDS",
    default: "60",
    description: "How long to try to reconnect when the link is lost; 0: not at all",
  },
  retries: {
    type: "string",
    valueHint: "N",
    default: "0",
    description: "How often to try again when the server can't be reached at first",
  },
} as const satisfies ArgsDef;

/** Flags of commands that move files. */
export const LINK_FLAGS = {
  "limit-rate": { type: "string", valueHint: "SIZE", description: "Bytes per second, each way" },
  ...RECONNECT_FLAGS,
} as const satisfies ArgsDef;

/** The settings of a connection, read once from flags, environment, files and standard input. */
export interface ConnectSettings extends ConnectorSettings {
  /** How long to try to reconnect when the link is lost, in milliseconds; 0: not at all. */
  readonly reconnectMs: number;
  /** How often to try again when the first attempt to connect fails. */
  readonly retries: number;
  /** Files with secrets that the flags name. */
  readonly secretFiles: readonly string[];
  readonly isJson: boolean;
}

/**
 * The one place that reads what a command needs for a connection. Ctrl-C and SIGTERM end the wait for a file or pipe.
 *
 * @throws UsageError; as readGiven(), processTrace()
 */
export function readConnectSettings(flags: Flags): Promise<ConnectSettings> {
  return interruptible((signal) => readAll(flags, signal));
}

async function readAll(flags: Flags, signal: AbortSignal): Promise<ConnectSettings> {
  if (flags["plaintext"] === true && flags["ca"] !== undefined)
    throw new UsageError("--plaintext and --ca exclude each other.");
  const server = serverFlag(flags);
  if (server !== undefined && isInvite(server))
    throw new UsageError("That is an invite: run commserver-client join INVITE, or use --invite-file.");
  const stateDir = stateDirFlag(flags);
  const invite = await readSecret(flags["invite-file"], "COMMSERVER_INVITE", signal);
  const token = await readSecret(flags["token-file"], "COMMSERVER_TOKEN", signal);
  return {
    server,
    invite: invite === undefined ? undefined : parseInvite(invite),
    token: token === undefined ? undefined : parseToken(token),
    ca: typeof flags["ca"] === "string" ? await readCa(flags["ca"], signal) : undefined,
    isPlaintext: flags["plaintext"] === true,
    acceptNew: flags["accept-new"] === true,
    nick: nickFlag(flags),
    wait: flags["wait"] === true,
    timeoutMs: secondsFlag(flags, "timeout"),
    reconnectMs: flags["reconnect"] === undefined ? 0 : reconnectFlag(flags),
    retries: flags["retries"] === undefined ? 0 : integerFlag(flags, "retries", 0, 1_000_000),
    bytesPerSecond: rateFlag(flags, "limit-rate"),
    stateDir,
    secretFiles: secretFilesOf(flags),
    isJson: flags["json"] === true,
    agent: `commserver-client/${VERSION}`,
    trace: processTrace(),
  };
}

/** The server that the flags name, or else the environment; an invite in a flag goes before the environment. */
function serverFlag(flags: Flags): string | undefined {
  if (flags["server"] !== undefined) return String(flags["server"]);
  return flags["invite-file"] === undefined ? serverVariable() : undefined;
}

/** Files with secrets that the flags name. */
export function secretFilesOf(flags: Flags): string[] {
  const files = [flags["token-file"], flags["invite-file"]].filter((file) => typeof file === "string");
  return files.filter((file) => file !== "-");
}

/** @throws UsageError when no session can have the name */
function nickFlag(flags: Flags): string | undefined {
  if (flags["nick"] === undefined) return undefined;
  const nick = String(flags["nick"]).replace(/^~/, "");
  if (isTokenName(nick)) return nick;
  throw new UsageError(`--nick takes 1 to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit.`);
}

function reconnectFlag(flags: Flags): number {
  return String(flags["reconnect"]) === "0" ? 0 : secondsFlag(flags, "reconnect");
}

/** @throws as readGiven(); UsageError when the file holds no certificate */
async function readCa(file: string, signal: AbortSignal): Promise<string> {
  const pem = await readGiven(file, signal);
  const certificates = certificatesIn(pem);
  // Loaded for this alone: it makes every start longer.
  const { X509Certificate } = await import("node:crypto");
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    if (certificates.length > 0) return certificates.join("\n");
  } catch {
    // reported below
  }
  throw new UsageError(`${quote(file)} holds no certificates in PEM.`);
}
