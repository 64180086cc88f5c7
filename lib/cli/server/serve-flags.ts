import type { ArgsDef } from "citty";
import { defaultMemory } from "../../daemon/default-memory.ts";
import type { DaemonSettings, WebAccess } from "../../daemon/settings.ts";
import { isInstanceName } from "../../discovery/service.ts";
import { DEFAULT_PORT, parseAddress } from "../../transport/address.ts";
import { isTyped } from "../configuration/origins.ts";
import { integerFlag, rateFlag, secondsFlag, sizeFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { advertiseFlag } from "./advertise-flag.ts";

export const SERVE_FLAGS = {
  dir: { type: "positional", required: false, description: "The folder to serve, as --repository" },
  repository: {
    type: "string",
    alias: "r",
    valueHint: "DIR",
    default: "./repository",
    description: "The folder to serve",
  },
  writable: { type: "boolean", alias: "w", description: "Let clients put, remove and rename files" },
  host: { type: "string", valueHint: "ADDR", description: "Address to listen on; default: all, IPv4 and IPv6" },
  port: {
    type: "string",
    alias: "p",
    valueHint: "N",
    default: String(DEFAULT_PORT),
    description: "Port to listen on; 0: any free one",
  },
  advertise: {
    type: "string",
    valueHint: "HOST[:PORT],…",
    description: "Addresses for invites; default: those of this machine",
  },
  announce: {
    type: "boolean",
    description: "Let clients on the same networks find this server, with: commserver-client find",
  },
  "announce-name": {
    type: "string",
    valueHint: "NAME",
    description: "What to call it there; default: this machine's name",
  },
  open: { type: "boolean", description: "Let anyone read, without a token" },
  plaintext: { type: "boolean", description: "No encryption, for networks that you trust" },
  web: {
    type: "string",
    valueHint: "off|read|on",
    default: "off",
    description: "What HTTP clients (browsers, curl and others) may do on the same port",
  },
  metrics: {
    type: "string",
    valueHint: "[HOST:]PORT",
    description: "Serve /metrics for Prometheus and /healthz over HTTP at 127.0.0.1, or at HOST",
  },
  cert: { type: "string", valueHint: "FILE", description: "A certificate from an authority (PEM, with its chain)" },
  key: { type: "string", valueHint: "FILE", description: "Its key (PEM)" },
  "max-clients": { type: "string", valueHint: "N", default: "3", description: "Seats" },
  "max-waiting": { type: "string", valueHint: "N", default: "16", description: "Clients that may wait for a seat" },
  "max-per-address": {
    type: "string",
    valueHint: "N",
    default: "128",
    description: "Seats and queue places for one address with one token",
  },
  "max-messages": { type: "string", valueHint: "N", default: "1000", description: "Messages per second and session" },
  mailbox: { type: "boolean", description: "Keep messages for a token's name that is not here" },
  "mailbox-messages": { type: "string", valueHint: "N", default: "100", description: "Messages kept for one name" },
  "mailbox-size": { type: "string", valueHint: "SIZE", default: "16MB", description: "Room for all kept messages" },
  "mailbox-days": { type: "string", valueHint: "N", default: "30", description: "How long a message is kept" },
  sharing: {
    type: "string",
    valueHint: "DIR",
    description: "Let clients share files by one-time codes, which are kept in DIR meanwhile",
  },
  "sharing-size": {
    type: "string",
    valueHint: "SIZE",
    default: "4GB",
    description: "The most that one share may hold",
  },
  "max-lists": {
    type: "string",
    valueHint: "N",
    default: "20",
    description: "Calls of list, watch and digest per second and session; of status: 10 times as many",
  },
  "max-memory": {
    type: "string",
    valueHint: "SIZE",
    description: "The most memory that clients may use in the server; default: 128 MiB, less on small machines",
  },
  quota: { type: "string", valueHint: "SIZE", description: "The most that the repository may hold, such as 50GB" },
  "keep-free": { type: "string", valueHint: "SIZE", default: "64MB", description: "Space to keep free on the disk" },
  "limit-rate": { type: "string", valueHint: "SIZE", description: "Bytes per second for each session, each way" },
  "limit-rate-total": { type: "string", valueHint: "SIZE", description: "Bytes per second for all sessions, each way" },
  idle: {
    type: "string",
    valueHint: "SECONDS",
    default: "43200",
    description: "How long a session may go without a request; 0: for ever",
  },
  grace: {
    type: "string",
    valueHint: "SECONDS",
    default: "30",
    description: "How long a client that loses its link keeps its seat",
  },
  "stop-timeout": {
    type: "string",
    valueHint: "SECONDS",
    default: "10",
    description: "How long transfers may continue when the server stops",
  },
  "state-dir": { type: "string", valueHint: "DIR", description: "Where the identity, tokens and the ledger are kept" },
  json: { type: "boolean", description: "Print events as JSON lines for programs" },
} as const satisfies ArgsDef;

/** Calls of `status` allowed for each call of `list`: a page of the ledger costs far less. */
export const PAGES_PER_LIST = 10;

/** The settings in the flags, checked. @throws UsageError */
export function readSettings(flags: Flags): DaemonSettings {
  const text = (name: string) => (flags[name] === undefined ? undefined : String(flags[name]));
  const certFile = text("cert");
  const keyFile = text("key");
  if ((certFile === undefined) !== (keyFile === undefined)) throw new UsageError("--cert and --key belong together.");
  const isPlaintext = flags["plaintext"] === true;
  if (isPlaintext && certFile !== undefined) throw new UsageError("--plaintext and --cert exclude each other.");
  return {
    repository: folderOf(flags),
    isWritable: flags["writable"] === true,
    // An IPv6 address may be in brackets, as in an address with a port.
    host: text("host")?.replace(/^\[(.+)\]$/, "$1"),
    port: integerFlag(flags, "port", 0, 65_535),
    advertised: advertiseFlag(flags),
    ...metricsFlag(flags),
    ...announceFlags(flags),
    isOpen: flags["open"] === true,
    isPlaintext,
    web: webFlag(flags),
    ...(certFile !== undefined && keyFile !== undefined && { certificate: { certFile, keyFile } }),
    maxClients: integerFlag(flags, "max-clients", 1, 100_000),
    maxWaiting: integerFlag(flags, "max-waiting", 0, 100_000),
    maxPerAddress: integerFlag(flags, "max-per-address", 1, 200_000),
    callRates: {
      messages: integerFlag(flags, "max-messages", 1, 1_000_000),
      lists: integerFlag(flags, "max-lists", 1, 1_000_000),
      pages: integerFlag(flags, "max-lists", 1, 1_000_000) * PAGES_PER_LIST,
    },
    ...mailboxFlags(flags),
    ...sharingFlags(flags),
    maxMemory: memoryFlag(flags),
    budget: { quotaBytes: sizeFlag(flags, "quota"), keepFreeBytes: sizeFlag(flags, "keep-free") ?? 0 },
    bandwidth: { perSession: rateFlag(flags, "limit-rate"), total: rateFlag(flags, "limit-rate-total") },
    idleMs: String(flags["idle"]) === "0" ? undefined : secondsFlag(flags, "idle"),
    graceMs: secondsFlag(flags, "grace"),
    stopTimeoutMs: secondsFlag(flags, "stop-timeout"),
    stateDir: stateDirFlag(flags),
  };
}

/** @throws UsageError when two folders are named */
function folderOf(flags: Flags): string {
  const [word] = flags._;
  if (word === undefined) return String(flags["repository"]);
  if (isTyped(flags, "repository")) throw new UsageError("DIR and --repository exclude each other.");
  return word;
}

const DAY_MS = 86_400_000;
/** The least room: with less, the part of one author would not hold a message. */
const MIN_MAILBOX = 128_000;
const MAX_MAILBOX = 1_000_000_000;

/** @throws UsageError */
function mailboxFlags(flags: Flags): Pick<DaemonSettings, "mailbox"> {
  const messages = integerFlag(flags, "mailbox-messages", 1, 10_000);
  const bytes = sizeFlag(flags, "mailbox-size") ?? 0;
  const ms = integerFlag(flags, "mailbox-days", 1, 3_650) * DAY_MS;
  if (bytes < MIN_MAILBOX || bytes > MAX_MAILBOX) throw new UsageError("--mailbox-size takes 128KB to 1GB.");
  return flags["mailbox"] === true ? { mailbox: { messages, bytes, ms } } : {};
}

/** @throws UsageError */
function sharingFlags(flags: Flags): Pick<DaemonSettings, "sharing"> {
  const bytes = sizeFlag(flags, "sharing-size") ?? 0;
  return flags["sharing"] === undefined ? {} : { sharing: { folder: String(flags["sharing"]), bytes } };
}

/** @throws UsageError for typed flags that would do nothing */
export function requireUse(flags: Flags): void {
  if (isTyped(flags, "sharing-size") && flags["sharing"] === undefined) {
    throw new UsageError("--sharing-size goes with --sharing.");
  }
  const lonely = ["mailbox-messages", "mailbox-size", "mailbox-days"].find((name) => isTyped(flags, name));
  if (lonely !== undefined && flags["mailbox"] !== true) throw new UsageError(`--${lonely} goes with --mailbox.`);
}

/** @throws UsageError */
function metricsFlag(flags: Flags): Pick<DaemonSettings, "metrics"> {
  if (flags["metrics"] === undefined) return {};
  const text = String(flags["metrics"]);
  const [, host = "127.0.0.1", digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  // A port makes it an address; the real one may be 0.
  const address = digits === undefined ? undefined : parseAddress(`${host}:1`);
  if (address?.kind === "tcp" && Number(digits) <= 65_535)
    return { metrics: { host: address.host, port: Number(digits) } };
  throw new UsageError(`--metrics takes PORT or HOST:PORT, not "${text}".`);
}

/** @throws UsageError */
function announceFlags(flags: Flags): Pick<DaemonSettings, "announce"> {
  const name = flags["announce-name"] === undefined ? undefined : String(flags["announce-name"]);
  if (name !== undefined && !isInstanceName(name)) {
    throw new UsageError(
      "--announce-name takes 1 to 56 letters, digits, blanks and signs of ASCII, without dots and backslashes.",
    );
  }
  if (flags["announce"] === true) return { announce: { name } };
  if (name === undefined || !isTyped(flags, "announce-name")) return {};
  throw new UsageError("--announce-name needs --announce.");
}

function webFlag(flags: Flags): WebAccess {
  const value = String(flags["web"]);
  if (value === "off" || value === "read" || value === "on") return value;
  throw new UsageError("--web takes off, read or on.");
}

/** With less, a single transfer might not fit. */
const MIN_MEMORY = 16_000_000;

function memoryFlag(flags: Flags): number {
  const bytes = sizeFlag(flags, "max-memory") ?? defaultMemory();
  if (bytes >= MIN_MEMORY) return bytes;
  throw new UsageError(`--max-memory takes at least ${MIN_MEMORY / 1_000_000}MB.`);
}
